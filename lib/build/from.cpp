#include "build/from.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error.hpp"
#include "base/scope_exit.hpp"
#include "engine/image_names.hpp"
#include "spec/digest.hpp"
#include "store/ids.hpp"

namespace lade::build {

namespace {

constexpr std::string_view base_digest_annotation = "org.opencontainers.image.base.digest";
constexpr std::string_view base_name_annotation = "org.opencontainers.image.base.name";
constexpr std::size_t prefix_digits = 12;
constexpr std::uint64_t most_numbers = 1'000'000'000;

std::string free_name(const std::string& wanted, const std::vector<store::ContainerRecord>& containers) {
  std::set<std::string> taken;
  for (const auto& container : containers) taken.insert(container.names.begin(), container.names.end());
  std::string name = wanted;
  for (int number = 1; taken.contains(name); ++number) name = fmt::format("{}-{}", wanted, number);
  return name;
}

// Under a name that nobody has; others may be looking for one at the same time.
store::ContainerRecord create_record(const Builders& builders, const NewBuilder& wanted) {
  const Context& context = builders.context();
  store::NewContainer container;
  container.is_volatile = true;
  // Where buildah 1.28 finds it, and newer ones too.
  container.in_volatile_files = false;
  if (wanted.image) container.image = wanted.image->id;
  container.ids = wanted.ids;
  std::string name = wanted.suffix.empty() ? "working-container" : wanted.suffix;
  if (!wanted.image_name.empty()) name = image_name_prefix(wanted.image_name) + "-" + name;
  if (!wanted.name.empty()) name = wanted.name;
  container.names = {wanted.name.empty() ? free_name(name, builders.store()->containers(context)) : name};
  std::random_device random;
  for (std::uint64_t numbers = 100;; numbers = std::min(numbers * 10, most_numbers)) {
    try {
      return builders.store()->create_container(context, container);
    } catch (const Error& error) {
      if (error.kind() != Kind::already_exists || !wanted.name.empty()) throw;
    }
    container.names = {fmt::format("{}-{}", name, random() % numbers)};
  }
}

void set_annotations(Builder& builder, const NewBuilder& wanted) {
  auto settings = builder.settings();
  settings.set_annotation(std::string(base_digest_annotation), wanted.image ? wanted.image->digest : "");
  if (wanted.image_name.empty() || !engine::is_short_name(wanted.image_name))
    settings.set_annotation(std::string(base_name_annotation), wanted.image_name);
  else
    settings.unset_annotation(std::string(base_name_annotation));
}

}  // namespace

std::string image_name_prefix(std::string_view image) {
  std::string prefix(image);
  if (const auto digest = spec::Digest::try_parse(image)) prefix = digest->short_hex();
  if (store::is_id(prefix)) prefix.resize(prefix_digits);
  prefix.resize(std::min(prefix.find(':'), prefix.size()));
  if (const auto slash = prefix.rfind('/'); slash != std::string::npos) prefix.erase(0, slash + 1);
  prefix.resize(std::min(prefix.find('@'), prefix.size()));
  return prefix;
}

std::string name_of_image(const std::string& asked, const std::vector<std::string>& names) {
  const std::string prefix = image_name_prefix(asked);
  if (names.empty()) return prefix;
  const auto found = std::ranges::find_if(
      names, [&](const std::string& name) { return name.find(prefix) != std::string::npos; });
  return found == names.end() ? names.front() : *found;
}

Builder create_builder(const Builders& builders, const NewBuilder& wanted) {
  const Context& context = builders.context();
  const auto container = in_context("creating container", [&] { return create_record(builders, wanted); });
  ScopeExit take_back([&] {
    try {
      builders.store()->delete_container(context, container.id);
    } catch (const std::exception& error) {
      context.log.warning(fmt::format("error deleting container \"{}\": {}", container.id, error.what()));
    }
  });
  Builder builder = Builder::make(container.names.front(), container.id);
  for (const auto& [member, value] : wanted.state.items()) builder.document()[member] = value;
  for (const auto& [member, value] : wanted.common.items())
    builder.document()["CommonBuildOpts"][member] = value;
  builder.set_namespaces(wanted.namespaces);
  builder.set_id_maps(wanted.ids);
  builder.set_text("image", wanted.image_name);
  if (wanted.image) {
    builder.set_text("image-id", wanted.image->id);
    builder.set_text("image-digest", wanted.image->digest);
    builder.set_text("TopLayer", wanted.image->top_layer);
  }
  take_settings(context, builder, wanted.image, wanted.platform);
  auto settings = builder.settings();
  if (builder.is_docker_format() && settings.text("Hostname").empty())
    settings.set_text("Hostname", container.id.substr(0, prefix_digits));
  set_annotations(builder, wanted);
  builders.save(builder);
  take_back.release();
  return builder;
}

}  // namespace lade::build
