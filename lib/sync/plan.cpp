#include "sync/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "image/image.hpp"
#include "io/digester.hpp"
#include "registry/text.hpp"

namespace lade::sync {
namespace {

// When the image was made, as Go writes times; "" where nothing says so.
std::string created(const Context& context, const SourceImage& image, const transport::Options& options,
                    const spec::PlatformChoice& platform) {
  const auto source = image.reference->open_source(context, options);
  auto manifest = image::choose_instance(context, *source, source->manifest(context, std::nullopt), platform);
  image::Image parsed(*source, std::move(manifest));
  if (parsed.is_artifact()) return "";
  return parsed.config(context).created;
}

void keep_newest(const Context& context, SourceRepository& repository, const SyncOptions& options) {
  auto& images = repository.images;
  if (options.newest == 0 || images.size() <= options.newest) return;
  std::vector<std::pair<std::string, std::size_t>> ages(images.size());
  parallel_for(context, images.size(), options.jobs, [&](const Context& inner, std::size_t i) {
    ages[i] = {
        in_context([&] { return "finding the age of " + images[i].reference->str(); },
                   [&] { return created(inner, images[i], *repository.options, options.copy.platform); }),
        i};
  });
  std::stable_sort(ages.begin(), ages.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  ages.resize(options.newest);
  std::sort(ages.begin(), ages.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<SourceImage> newest;
  for (const auto& [time, index] : ages) newest.push_back(std::move(images[index]));
  images = std::move(newest);
}

class Planner {
 public:
  Planner(const Destination& destination, const SyncOptions& options)
      : destination_(destination), options_(options) {}

  void add(const SourceRepository& repository) {
    std::size_t number = 0;
    for (const SourceImage& image : repository.images) {
      ++number;
      const Target target = destination_.target(options_.names.apply(image.name));
      const std::string from = image.reference->str();
      const auto [taken, is_new] = sources_.emplace(target.image, from);
      if (!is_new && taken->second != from) {
        throw Error(Kind::invalid_input,
                    fmt::format("{} and {} would both be written to {}; use --scoped or --rename",
                                taken->second, from, target.image));
      }
      if (!is_new) continue;
      plan_.tags[target.repository].insert(target.tag);
      if (!options_.shard.contains(target.name)) continue;
      refuse_occupied(target);
      plan_.tasks.push_back({image, repository.options, target, number, repository.images.size()});
    }
  }

  Plan finish(std::size_t sources, bool complete) {
    plan_.sources = sources;
    plan_.complete = complete;
    return std::move(plan_);
  }

 private:
  void refuse_occupied(const Target& target) const {
    if (options_.replace || !destination_.is_occupied(target)) return;
    throw Error(Kind::already_exists, fmt::format("Refusing to overwrite destination directory \"{}\"",
                                                  target.image.substr(target.image.find(':') + 1)));
  }

  const Destination& destination_;
  const SyncOptions& options_;
  std::map<std::string, std::string> sources_;  // by destination
  Plan plan_;
};

}  // namespace

Shard Shard::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto index = registry::parse_number(text.substr(0, slash));
  const auto count = slash < text.size() ? registry::parse_number(text.substr(slash + 1)) : std::nullopt;
  if (!index || !count || *index < 1 || *index > *count)
    throw Error(Kind::invalid_input, fmt::format("\"{}\" is no shard: I/N with I from 1 to N is", text));
  return {*index, *count};
}

bool Shard::contains(const std::string& name) const {
  if (count == 1) return true;
  const std::string hex = io::digest_of(name).hex().substr(0, 15);
  return std::stoull(hex, nullptr, 16) % count == index - 1;
}

Plan make_plan(const Context& context, const Source& source, const Destination& destination,
               const SyncOptions& options, Narrator& narrator) {
  SourceImages found = find_source_images(context, source, narrator);
  Planner planner(destination, options);
  for (SourceRepository& repository : found.repositories) {
    keep_newest(context, repository, options);
    planner.add(repository);
  }
  return planner.finish(found.repositories.size(), found.complete);
}

}  // namespace lade::sync
