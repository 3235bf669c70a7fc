#include "sync/sync.hpp"

#include <fmt/format.h>

#include <atomic>

#include "base/parallel.hpp"
#include "sync/journal.hpp"
#include "sync/plan.hpp"
#include "transport/docker/docker.hpp"

namespace lade::sync {
namespace {

class Runner {
 public:
  Runner(const trust::PolicyContext& policy, const Destination& destination, const SyncOptions& options,
         Journal* journal, Narrator& narrator)
      : policy_(policy),
        destination_(destination),
        options_(options),
        journal_(journal),
        narrator_(narrator) {}

  void run(const Context& context, const std::vector<Task>& tasks) {
    done_.resize(tasks.size());
    parallel_for(context, tasks.size(), options_.jobs, [&](const Context& inner, std::size_t i) {
      const std::string from = tasks[i].image.reference->str();
      try {
        done_[i] = sync_image(inner, tasks[i]);
      } catch (Error& error) {
        if (!options_.keep_going) {
          error.add_context(fmt::format("Error copying ref \"{}\"", from));
          throw;
        }
        failed_ = true;
        narrator_.tell(Level::error, fmt::format("Error copying ref \"{}\"", from),
                       {{"error", error.what()}});
      }
    });
  }

  SyncResult result(const std::vector<Task>& tasks) const {
    SyncResult result;
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (done_[i]) result.images.push_back({tasks[i].target.image, *done_[i]});
    result.failed = failed_;
    return result;
  }

 private:
  spec::Digest sync_image(const Context& context, const Task& task) {
    std::optional<spec::Digest> written;
    repeat(context, [&] { written = unchanged(context, task); });
    const Fields fields{{"from", task.image.reference->str()}, {"to", task.target.image}};
    if (written) {
      narrator_.tell(Level::info, "Skipping: image already present at destination", fields);
      return *written;
    }
    narrator_.tell(Level::info, fmt::format("Copying image ref {}/{}", task.number, task.total), fields);
    repeat(context, [&] { written = copy(context, task); });
    return *written;
  }

  // The digest at the destination if it is what the source's would be copied to. Costs two requests.
  std::optional<spec::Digest> unchanged(const Context& context, const Task& task) {
    if (!policy_.accepts_anything(*task.image.reference)) return std::nullopt;
    const auto there = destination_.find_digest(context, task.target);
    if (!there) return std::nullopt;
    const auto wanted = source_digest(context, task);
    if (wanted == there) return there;
    const auto known =
        journal_ ? journal_->find(task.image.reference->str(), task.target.image) : std::nullopt;
    return known && wanted == known->source && *there == known->written ? there : std::nullopt;
  }

  static std::optional<spec::Digest> source_digest(const Context& context, const Task& task) {
    const auto& reference = *task.image.reference;
    if (reference.transport() == "docker")
      return transport::find_docker_digest(context, reference.docker_reference().value(), *task.options);
    return reference.open_source(context, *task.options)->manifest(context, std::nullopt).digest;
  }

  spec::Digest copy(const Context& context, const Task& task) {
    copy::CopyOptions options = options_.copy;
    options.source = *task.options;
    options.destination = destination_.options();
    options.skip_existing = true;
    const auto target = destination_.reference(task.target, true);
    const auto result = copy::copy_image(context, policy_, *task.image.reference, *target, options);
    if (journal_) {
      journal_->add(task.image.reference->str(), task.target.image, {result.source, result.manifest.digest});
    }
    return result.manifest.digest;
  }

  void repeat(const Context& context, const std::function<void()>& operation) {
    if (options_.retry)
      options_.retry(context, operation);
    else
      operation();
  }

  const trust::PolicyContext& policy_;
  const Destination& destination_;
  const SyncOptions& options_;
  Journal* journal_;
  Narrator& narrator_;
  std::vector<std::optional<spec::Digest>> done_;  // each element is written by one thread
  std::atomic<bool> failed_ = false;
};

void tell_plan(const Plan& plan, Narrator& narrator) {
  for (const Task& task : plan.tasks) {
    narrator.tell(Level::info, fmt::format("Would have copied image ref {}/{}", task.number, task.total),
                  {{"from", task.image.reference->str()}, {"to", task.target.image}});
  }
}

// False if a tag could not be removed.
bool prune(const Context& context, const Plan& plan, const Destination& destination, bool dry_run,
           Narrator& narrator) {
  bool removed_all = true;
  for (const auto& [repository, kept] : plan.tags) {
    std::vector<std::string> tags;
    try {
      tags = destination.list_tags(context, repository);
    } catch (const Error& error) {
      if (!dry_run || error.kind() != Kind::not_found) throw;
    }
    for (const std::string& tag : tags) {
      if (kept.contains(tag)) continue;
      const Fields fields{{"image", repository + ":" + tag}};
      narrator.tell(Level::info, dry_run ? "Would have removed" : "Removing", fields);
      if (dry_run) continue;
      try {
        destination.remove_tag(context, repository, tag, kept);
      } catch (const Error& error) {
        narrator.tell(Level::error, error.what(), fields);
        removed_all = false;
      }
    }
  }
  return removed_all;
}

}  // namespace

SyncResult sync(const Context& context, const trust::PolicyContext& policy, const Source& source,
                const Destination& destination, const SyncOptions& options, Narrator& narrator) {
  Plan plan;
  const auto make = [&] { plan = make_plan(context, source, destination, options, narrator); };
  if (options.retry)
    options.retry(context, make);
  else
    make();

  SyncResult result;
  if (options.dry_run) {
    tell_plan(plan, narrator);
  } else {
    const auto journal = options.journal.empty() ? nullptr : Journal::open(context, options.journal);
    Runner runner(policy, destination, options, journal.get(), narrator);
    runner.run(context, plan.tasks);
    result = runner.result(plan.tasks);
  }
  // What could not be listed or copied is no reason to remove anything. One shard removes for all.
  if (options.prune && options.shard.index == 1) {
    if (!plan.complete || result.failed)
      narrator.tell(Level::warning, "Nothing is removed after errors", {});
    else if (!prune(context, plan, destination, options.dry_run, narrator))
      result.failed = true;
  }
  narrator.tell(Level::info,
                fmt::format("{} {} images from {} sources", options.dry_run ? "Would have synced" : "Synced",
                            options.dry_run ? plan.tasks.size() : result.images.size(), plan.sources),
                {});
  return result;
}

}  // namespace lade::sync
