#include "engine/migrate.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/parallel.hpp"
#include "engine/migration_images.hpp"
#include "transport/containers_storage/name.hpp"

namespace lade::engine {

namespace {

using Event = MigrationEvent;
using PlaceKind = MigrationPlace::Kind;

// Hands out images so that no layer is copied by two at once: who comes second finds it at the destination.
class Schedule {
 public:
  explicit Schedule(const std::vector<MigratingImage>& images) : images_(images), waiting_(images.size()) {
    for (std::size_t i = 0; i < images.size(); ++i) waiting_[i] = i;
  }

  // nullopt when all have been handed out. Waits for one that shares nothing with those under way.
  std::optional<std::size_t> next(const Context& context) {
    std::unique_lock lock(mutex_);
    std::optional<std::size_t> found;
    const bool ready = done_.wait(lock, context.stop, [&] {
      if (waiting_.empty()) return true;
      const auto free = std::ranges::find_if(waiting_, [&](std::size_t i) { return shares_nothing(i); });
      if (free == waiting_.end()) return false;
      found = *free;
      waiting_.erase(free);
      return true;
    });
    if (!ready) throw Cancelled();
    if (found) busy_.insert(images_[*found].layers.begin(), images_[*found].layers.end());
    return found;
  }

  void finish(std::size_t i) {
    const std::lock_guard lock(mutex_);
    for (const auto& layer : images_[i].layers) busy_.erase(layer);
    done_.notify_all();
  }

 private:
  bool shares_nothing(std::size_t i) const {
    return std::ranges::none_of(images_[i].layers,
                                [&](const spec::Digest& layer) { return busy_.contains(layer); });
  }

  const std::vector<MigratingImage>& images_;
  std::mutex mutex_;
  std::condition_variable_any done_;
  std::vector<std::size_t> waiting_;
  std::set<spec::Digest> busy_;
};

// Of users that are mapped here, or of the machine's root.
void refuse_foreign_store(const MigrationPlace& place, std::string_view purpose) {
  if (place.kind != PlaceKind::store) return;
  struct ::stat status {};
  const std::string root = place.options.store->graph_root.string();
  if (::stat(root.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return;
  throw Error(Kind::denied, fmt::format("the store {} belongs to the user {}: {} as that user", root,
                                        status.st_uid, purpose));
}

bool is_same_place(const MigrationPlace& a, const MigrationPlace& b) {
  if (a.kind != b.kind) return false;
  std::error_code ignored;
  switch (a.kind) {
    case PlaceKind::store:
      return std::filesystem::weakly_canonical(a.options.store->graph_root, ignored) ==
             std::filesystem::weakly_canonical(b.options.store->graph_root, ignored);
    case PlaceKind::daemon: return a.options.docker_daemon.host == b.options.docker_daemon.host;
    case PlaceKind::layout:
      return std::filesystem::weakly_canonical(a.directory, ignored) ==
             std::filesystem::weakly_canonical(b.directory, ignored);
  }
  return false;
}

class Migration {
 public:
  Migration(const Context& context, const trust::PolicyContext& policy, const MigrationPlace& from,
            const MigrationPlace& to, const MigrateOptions& options,
            const std::function<void(const Event&)>& say)
      : context_(context), policy_(policy), from_(from), to_(to), options_(options), say_(say) {}

  MigrationSummary run() {
    check_places();
    const auto images = list_images(context_, from_);
    if (!options_.dry_run && between_stores()) {
      source_ = store::Store::open(context_, *from_.options.store, store::Store::Access::read_only);
      destination_ = store::Store::open(context_, *to_.options.store);
    }
    Schedule schedule(images);
    // Layouts have one index, and daemons their own pace.
    const std::size_t workers = between_stores() ? std::max<std::size_t>(options_.jobs, 1) : 1;
    parallel_for(context_, workers, workers, [&](const Context& context, std::size_t) {
      while (const auto i = schedule.next(context)) {
        migrate_image(context, images[*i]);
        schedule.finish(*i);
      }
    });
    if (options_.move && !options_.dry_run) remove_all(images);
    tell_of_containers();
    return summary_;
  }

 private:
  bool between_stores() const { return from_.kind == PlaceKind::store && to_.kind == PlaceKind::store; }

  void check_places() const {
    if (is_same_place(from_, to_))
      throw Error(Kind::invalid_input, fmt::format("{} and {} are the same place", from_.text, to_.text));
    if (options_.move && from_.kind == PlaceKind::daemon)
      throw Error(Kind::unsupported, "images cannot be removed from a docker daemon: migrate without --move");
    if (options_.dry_run) return;
    refuse_foreign_store(to_, "migrate into it");
    if (options_.move) refuse_foreign_store(from_, "move out of it");
  }

  void tell(Event event) {
    const std::lock_guard lock(mutex_);
    switch (event.what) {
      case Event::What::planned: ++summary_.planned; break;
      case Event::What::copied: ++summary_.copied; break;
      case Event::What::completed: ++summary_.completed; break;
      case Event::What::present: ++summary_.present; break;
      case Event::What::removed: ++summary_.removed; break;
      case Event::What::kept: ++summary_.kept; break;
      case Event::What::left: ++summary_.left; break;
      case Event::What::failed: ++summary_.failed; break;
    }
    say_(event);
  }

  void tell(Event::What what, const MigratingImage& image, std::string reason = "") {
    tell({what, "image " + image.id, image.names, std::move(reason)});
  }

  void migrate_image(const Context& context, const MigratingImage& image) {
    try {
      bring_over(context, image);
    } catch (const Error& error) {
      tell(Event::What::failed, image, error.what());
    }
  }

  void bring_over(const Context& context, const MigratingImage& image) {
    if (to_.kind == PlaceKind::daemon && names_at(to_, image).empty())
      return tell(Event::What::left, image, "it has no name that a docker daemon takes");
    if (!image.config && to_.kind == PlaceKind::daemon)
      return tell(Event::What::left, image, "a docker daemon takes no lists");
    const Presence presence = presence_of(context, to_, image);
    if (presence == Presence::whole) {
      tell(Event::What::present, image);
    } else if (options_.dry_run) {
      return tell(Event::What::planned, image);
    } else {
      copy_over(context, image);
      tell(presence == Presence::partial ? Event::What::completed : Event::What::copied, image);
    }
    if (options_.dry_run || !options_.move) return;
    verify_at(context, to_, image);
    const std::lock_guard lock(mutex_);
    verified_.insert(image.id);
  }

  void copy_over(const Context& context, const MigratingImage& image) {
    if (between_stores()) return copy_between_stores(context, *source_, *destination_, image, options_.jobs);
    copy_by_transports(context, policy_, from_, to_, image, options_.jobs);
  }

  // At the end: what goes is no source for others any more.
  void remove_all(const std::vector<MigratingImage>& images) {
    source_.reset();
    for (const MigratingImage& image : images) {
      if (!verified_.contains(image.id)) continue;
      context_.throw_if_stopped();
      try {
        const std::string reason = remove_migrated(context_, from_, image);
        tell(reason.empty() ? Event::What::removed : Event::What::kept, image, reason);
      } catch (const Error& error) {
        tell(Event::What::kept, image, error.what());
      }
    }
  }

  void tell_of_containers() {
    if (from_.kind != PlaceKind::store) return;
    const auto store = store::Store::open(context_, *from_.options.store, store::Store::Access::read_only);
    for (const auto& container : store->containers(context_))
      tell({Event::What::left, "container " + container.id, container.names, "containers are not migrated"});
  }

  const Context& context_;
  const trust::PolicyContext& policy_;
  const MigrationPlace& from_;
  const MigrationPlace& to_;
  const MigrateOptions& options_;
  const std::function<void(const Event&)>& say_;
  std::shared_ptr<store::Store> source_, destination_;
  std::mutex mutex_;
  MigrationSummary summary_;
  std::set<std::string> verified_;
};

}  // namespace

MigrationPlace parse_migration_place(const std::string& text, const config::Environment& environment,
                                     transport::Options options) {
  constexpr std::string_view storage = "containers-storage:", layout = "oci:";
  MigrationPlace place;
  place.text = text;
  place.options = std::move(options);
  if (text == "docker-daemon:") {
    place.kind = PlaceKind::daemon;
    return place;
  }
  if (text.starts_with(layout) && text.size() > layout.size()) {
    place.kind = PlaceKind::layout;
    place.directory = text.substr(layout.size());
    if (place.directory.find(':') != std::string::npos)
      throw Error(Kind::invalid_input,
                  fmt::format("{}: a whole layout is meant, without the name of an image", text));
    return place;
  }
  std::string brackets = text.starts_with(storage) ? text.substr(storage.size()) : text;
  const bool whole = brackets.starts_with('[') && brackets.find(']') == brackets.size() - 1;
  if (!whole && !(brackets.empty() && !text.empty())) {
    throw Error(
        Kind::invalid_input,
        fmt::format("\"{}\" is no place of images: [DRIVER@ROOT+RUNROOT:OPTIONS], containers-storage:, "
                    "docker-daemon: or oci:DIR is expected",
                    text));
  }
  config::StoreOverrides overrides;
  if (whole) {
    // The rules for brackets are those of image names.
    const auto name = transport::containers_storage::Name::parse(brackets + std::string(64, '0'));
    overrides = name.place.value_or(config::StoreOverrides());
  }
  place.options.store = config::load_store_options(environment, overrides);
  return place;
}

MigrationSummary migrate(const Context& context, const trust::PolicyContext& policy,
                         const MigrationPlace& from, const MigrationPlace& to, const MigrateOptions& options,
                         const std::function<void(const MigrationEvent&)>& say) {
  return Migration(context, policy, from, to, options, say).run();
}

}  // namespace lade::engine
