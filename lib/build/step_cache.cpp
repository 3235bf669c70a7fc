#include "build/step_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.hpp"
#include "build/overlay_on_top.hpp"
#include "build/scratch_directory.hpp"
#include "io/codec/codec.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "io/writers.hpp"
#include "layer/apply.hpp"
#include "layer/diff.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

namespace lade::build {

using spec::Json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_step_record = 4096;
constexpr int step_level = 1;  // of zstd: time counts, not space

spec::Digest digest_of_stream(io::Reader& stream) {
  io::DigestingReader digesting(stream);
  io::NullWriter nowhere;
  io::copy(digesting, nowhere);
  return digesting.finish();
}

layer::DiffOptions without_times() {
  layer::DiffOptions options;
  options.mtime = 0;
  return options;
}

// What a mount shows, files without their times.
spec::Digest digest_of_tree(const Context& context, const fs::path& path, const fs::path& scratch) {
  if (!fs::is_directory(path)) {
    os::FileReader file(path);
    return digest_of_stream(file);
  }
  const os::TempDir nothing(scratch, "empty");
  const auto lower = os::open_file(nothing.path(), O_RDONLY | O_DIRECTORY);
  const auto upper = os::open_file(path, O_RDONLY | O_DIRECTORY);
  return digest_of_stream(*layer::diff_trees(context, lower, upper, without_times()));
}

class CachedRun {
 public:
  CachedRun(const Builders& builders, Builder& builder, const RunOptions& options,
            const config::ContainersConf& conf, const config::Environment& environment)
      : builders_(builders),
        store_(*builders.store()),
        context_(builders.context()),
        builder_(builder),
        options_(options),
        conf_(conf),
        environment_(environment) {}

  int run() {
    const auto key = this->key();
    const StepCache cache(store_);
    MountedBuilder mounted(builders_, builder_);
    const auto apply = [&](io::Reader& changes) { apply_changes(mounted.path(), changes); };
    if (cache.restore(context_, key, apply)) {
      context_.log.log(Level::info, fmt::format("{}: not run again, its changes are taken from the cache",
                                                fmt::join(options_.command, " ")));
      mounted.unmount();
      return 0;
    }
    const int status = record(mounted.path(), [&](io::Reader& changes, int ended) {
      if (ended == 0)
        cache.keep(key, changes, apply);
      else
        apply(changes);
    });
    mounted.unmount();
    return status;
  }

 private:
  // The command runs on top of the container, so that what it changes is by itself.
  int record(const fs::path& root, const std::function<void(io::Reader&, int status)>& take) {
    const ScratchDirectory scratch(context_, store_.container_directory(builder_.id()), "step-");
    const fs::path upper = scratch.path() / "upper";
    int status = 0;
    {
      const OverlayOnTop top(root, upper, scratch.path() / "work", scratch.path() / "merged",
                             store_.options().rootless);
      RunOptions options = options_;
      options.root = top.path();
      status = run_in_container(builders_, builder_, options, conf_, environment_);
    }
    layer::DiffOptions diff;
    diff.lowers.emplace().push_back(std::make_shared<const os::Root>(root));
    diff.without_unchanged_directories = true;
    const auto changed = os::open_file(upper, O_RDONLY | O_DIRECTORY);
    take(*layer::diff(context_, changed, std::move(diff)), status);
    return status;
  }

  void apply_changes(const fs::path& root, io::Reader& changes) {
    layer::ApplyOptions options;
    options.whiteouts = layer::Whiteouts::remove;
    options.rootless = store_.options().rootless;
    layer::apply(context_, changes, os::open_file(root, O_RDONLY | O_DIRECTORY), options);
  }

  spec::Digest key() {
    const Json& document = builder_.document();
    Json parts = {{"version", 1},
                  {"base", builder_.image_id()},
                  {"changes", changes_so_far().str()},
                  {"command", options_.command},
                  {"env", options_.env},
                  {"user", options_.user},
                  {"working directory", options_.working_directory},
                  {"hostname", options_.hostname},
                  {"isolation", to_string(options_.isolation)},
                  {"no network", options_.no_network},
                  {"capabilities added", options_.add_capabilities},
                  {"capabilities dropped", options_.drop_capabilities},
                  {"devices", options_.devices},
                  {"mounts", mounts()},
                  {"default env", conf_.env}};
    for (const auto& option : options_.namespaces)
      parts["namespaces"].push_back({option.name, option.host, option.path});
    for (const char* member : {"CommonBuildOpts", "NamespaceOptions", "IDMappingOptions", "Capabilities",
                               "Isolation", "GroupAdd", "DeviceSpecs", "ConfigureNetwork"})
      if (const Json* value = spec::find_member(document, member)) parts["container"][member] = *value;
    auto settings = builder_.settings();
    parts["settings"] = {settings.list("Env"), settings.text("User"), settings.text("WorkingDir"),
                         settings.text("Hostname"), settings.set("Volumes")};
    return io::digest_of(spec::dump_json(parts));
  }

  spec::Digest changes_so_far() {
    return digest_of_stream(*store_.open_changes(context_, builder_.id(), without_times()));
  }

  Json mounts() {
    Json all = Json::array();
    std::vector<VolumeMount> wanted;
    for (const auto& text : builder_.common_texts("Volumes")) wanted.push_back(parse_volume(text));
    wanted.insert(wanted.end(), options_.mounts.begin(), options_.mounts.end());
    for (const auto& mount : wanted)
      all.push_back({static_cast<int>(mount.type), mount.destination, mount.options, mount.id, mount.source,
                     mount.from, input_of(mount)});
    return all;
  }

  // "" if what the mount shows does not count: a cache's content never changes a result, a tmpfs is empty.
  std::string input_of(const VolumeMount& mount) {
    if (mount.type != VolumeMount::Type::bind) return "";
    const bool read_only = std::ranges::find(mount.options, "ro") != mount.options.end();
    const bool kept_overlay = mount.overlay && !mount.upper.empty();
    if ((!read_only && !mount.overlay) || kept_overlay || mount.chown)
      throw Error(Kind::invalid_input,
                  fmt::format("--cache: the command could write to what is mounted at {}, and would not the "
                              "next time; add :ro or :O, or leave --cache out",
                              mount.destination));
    if (mount.from.empty()) return digest_of_tree(context_, mount.source, store_.layout().run_root).str();
    if (!store_.find_image(context_, mount.from))
      throw Error(Kind::unsupported,
                  fmt::format("--cache: what is mounted at {} is another container's", mount.destination));
    return mount.from;
  }

  const Builders& builders_;
  store::Store& store_;
  const Context& context_;
  Builder& builder_;
  const RunOptions& options_;
  const config::ContainersConf& conf_;
  const config::Environment& environment_;
};

}  // namespace

StepCache::StepCache(const store::Store& store) : directory_(store.layout().graph_root / "lade-steps") {}

bool StepCache::restore(const Context& context, const spec::Digest& key,
                        const std::function<void(io::Reader&)>& apply) const {
  const fs::path record = directory_ / (key.hex() + ".json");
  const auto text = os::find_file(record, max_step_record);
  if (!text) return false;
  std::unique_ptr<os::FileReader> blob;
  std::optional<spec::Digest> digest;
  try {
    const Json json = spec::parse_json(*text, record.string(), max_step_record);
    digest = spec::Digest::parse(spec::string_member(json, "digest", "step"));
    const fs::path path = directory_ / (digest->hex() + ".tar.zst");
    blob = std::make_unique<os::FileReader>(path);
    if (digest_of_stream(*blob) != *digest) throw Error(Kind::integrity, path.string() + " is damaged");
  } catch (const Error& error) {
    context.log.warning(fmt::format("cached step: {}; it is done again", error.what()));
    fs::remove(record);
    return false;
  }
  if (::lseek(blob->fd().get(), 0, SEEK_SET) != 0) throw Error::from_errno(errno, "lseek");
  // Nobody can have put another file in its place, but its bytes may have changed.
  io::VerifyingReader again(*blob, *digest, std::nullopt);
  apply(*io::decompress(std::make_unique<io::BorrowedReader>(again), io::Compression::zstd));
  return true;
}

void StepCache::keep(const spec::Digest& key, io::Reader& changes,
                     const std::function<void(io::Reader&)>& apply) const {
  os::mkdir_all(directory_, 0700);
  os::AtomicFile blob(directory_, ".new");
  io::DigestingWriter digesting(blob);
  {
    // Compressing pulls, applying pulls: one reads what the other has written.
    const os::UniqueFd plain = os::open_unnamed(directory_);
    os::FileWriter out(os::duplicate(plain.get()));
    io::copy(changes, out);
    const auto rewound = [&] {
      if (::lseek(plain.get(), 0, SEEK_SET) != 0) throw Error::from_errno(errno, "lseek");
      return std::make_unique<os::FileReader>(os::duplicate(plain.get()));
    };
    const auto compressed = io::compress(rewound(), {io::Compression::zstd, step_level, 0});
    io::copy(*compressed, digesting);
    apply(*rewound());
  }
  const auto digest = digesting.finish();
  blob.commit(directory_ / (digest.hex() + ".tar.zst"), {.mode = 0600, .sync = false});
  os::write_file(directory_ / (key.hex() + ".json"),
                 spec::dump_json({{"digest", digest.str()}, {"size", digesting.count()}}),
                 {.mode = 0600, .sync = false});
}

std::size_t StepCache::clear() const {
  std::size_t steps = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
    steps += entry.path().extension() == ".json" ? 1 : 0;
    fs::remove(entry.path(), ignored);
  }
  fs::remove(directory_, ignored);
  return steps;
}

int run_cached(const Builders& builders, Builder& builder, const RunOptions& options,
               const config::ContainersConf& conf, const config::Environment& environment) {
  return CachedRun(builders, builder, options, conf, environment).run();
}

}  // namespace lade::build
