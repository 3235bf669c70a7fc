#include "sync/sync.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/option_groups.hpp"
#include "common/progress.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "common/template/evaluate.hpp"
#include "config/blob_info_cache.hpp"
#include "io/digester.hpp"
#include "os/file.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/copy_flags.hpp"

namespace lade::skopeo {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr unsigned default_jobs = 6;
constexpr unsigned most_jobs = 256;

std::vector<Option> selection_options() {
  const std::string group = "Selection";
  return {
      {.name = "exclude",
       .kind = ValueKind::list,
       .value_name = "GLOB",
       .help = "leave out tags that match GLOB",
       .group = group},
      {.name = "include",
       .kind = ValueKind::list,
       .value_name = "GLOB",
       .help = "only tags that match GLOB",
       .group = group},
      {.name = "newest",
       .kind = ValueKind::unsigned_integer,
       .value_name = "N",
       .help = "only the N images of each repository that were created last",
       .group = group},
      {.name = "semver",
       .kind = ValueKind::text,
       .value_name = "CONSTRAINT",
       .help = "only tags that are versions within CONSTRAINT, such as '^1.2 || >=2.0, <3'",
       .group = group},
      {.name = "tag-regex",
       .kind = ValueKind::text,
       .value_name = "REGEX",
       .help = "only tags that REGEX is found in",
       .group = group},
  };
}

std::vector<Option> sync_options() {
  std::vector<Option> options = {
      {.name = "append-suffix", .kind = ValueKind::text, .help = "String to append to DESTINATION tags"},
      {.name = "dest",
       .short_name = 'd',
       .kind = ValueKind::text,
       .help = "DESTINATION transport type",
       .choices = {"docker", "dir", "oci"}},
      {.name = "digestfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Write the digests and Image References of the resulting images to the specified file, "
               "separated by "
               "newlines"},
      {.name = "dry-run", .help = "Run without actually copying data"},
      {.name = "jobs",
       .kind = ValueKind::unsigned_integer,
       .value_name = "N",
       .help = fmt::format("images that are copied at the same time (default {})", default_jobs)},
      {.name = "journal",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help =
           "where to keep what was copied (default: a file in $XDG_STATE_HOME/lade/sync for this source and "
           "destination)"},
      {.name = "keep-going", .help = "Do not abort the sync if any image copy fails"},
      {.name = "no-journal",
       .help = "keep nothing, and look at every image that is not the same at both ends"},
      {.name = "prune",
       .help = "remove tags at the destination, in the repositories that are synced, that the source does "
               "not have"},
      {.name = "rename",
       .kind = ValueKind::text,
       .value_name = "TEMPLATE",
       .help = "names at the destination, from .Registry .Repository .Name .Tag .Digest"},
      {.name = "scoped",
       .help = "Images at DESTINATION are prefix using the full source image path as scope"},
      {.name = "shard",
       .kind = ValueKind::text,
       .value_name = "I/N",
       .help = "only the I-th of N parts, so that N machines share a sync"},
      {.name = "skip-existing",
       .help = "bring directories that are there up to date (dir: only; registries and layouts always are)"},
      {.name = "src",
       .short_name = 's',
       .kind = ValueKind::text,
       .help = "SOURCE transport type",
       .choices = {"docker", "dir", "oci", "yaml"}},
      common::authfile_option(),
  };
  common::append(options, selection_options());
  common::append(options, manifest_options());
  common::append(options, common::registry_options("src-"));
  common::append(options, common::registry_options("dest-"));
  common::append(options, common::retry_option_group());
  return options;
}

[[noreturn]] void refuse_sync(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

void check_transports(const std::string& source, const std::string& destination) {
  const auto is_one_of = [](const std::string& word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (source.empty()) refuse_sync("A source transport must be specified");
  if (!is_one_of(source, {"docker", "dir", "oci", "yaml"}))
    refuse_sync(fmt::format("\"{}\" is not a valid source transport", source));
  if (destination.empty()) refuse_sync("A destination transport must be specified");
  if (!is_one_of(destination, {"docker", "dir", "oci"}))
    refuse_sync(fmt::format("\"{}\" is not a valid destination transport", destination));
  if (source == "dir" && destination == "dir")
    refuse_sync("sync from 'dir' to 'dir' not implemented, consider using rsync instead");
}

// The parts of a full name that a template may use.
spec::Json name_parts(const std::string& name) {
  std::string registry, repository = name, tag, digest;
  if (const std::size_t at = repository.find('@'); at != std::string::npos) {
    digest = repository.substr(at + 1);
    repository.resize(at);
  }
  const std::size_t colon = repository.rfind(':');
  if (colon != std::string::npos && repository.find('/', colon) == std::string::npos) {
    tag = repository.substr(colon + 1);
    repository.resize(colon);
  }
  const std::size_t slash = repository.find('/');
  if (slash != std::string::npos && repository.find_first_of(".:") < slash) {
    registry = repository.substr(0, slash);
    repository.erase(0, slash + 1);
  }
  return {{"Registry", registry},
          {"Repository", repository},
          {"Name", repository.substr(repository.rfind('/') + 1)},
          {"Tag", tag},
          {"Digest", digest}};
}

sync::NameRule name_rule(const Flags& flags) {
  sync::NameRule rule{flags.flag("scoped"), flags.text("append-suffix"), {}};
  const auto text = flags.find_text("rename");
  if (!text) return rule;
  if (rule.scoped || !rule.suffix.empty())
    refuse_sync("--rename takes the place of --scoped and --append-suffix");
  common::gotemplate::check("rename", *text);
  rule.rename = [text = *text](const std::string& name) {
    return common::gotemplate::render("rename", text, common::gotemplate::Value(name_parts(name)));
  };
  return rule;
}

std::filesystem::path state_home(const config::Environment& environment) {
  const std::string set = environment.get("XDG_STATE_HOME");
  if (!set.empty()) return set;
  return environment.home.empty() ? "" : environment.home / ".local/state";
}

std::filesystem::path journal_path(const Flags& flags, const config::Environment& environment,
                                   const std::string& what) {
  if (flags.flag("no-journal") || flags.flag("dry-run")) {
    if (flags.flag("no-journal") && flags.given("journal"))
      refuse_sync("--journal and --no-journal exclude each other");
    return "";
  }
  if (const auto path = flags.find_text("journal")) return *path;
  const auto home = state_home(environment);
  return home.empty() ? "" : home / "lade/sync" / (io::digest_of(what).hex() + ".journal");
}

sync::SyncOptions sync_options_of(const Invocation& invocation) {
  const Flags& flags = invocation.flags;
  sync::SyncOptions options;
  read_manifest_options(flags, options.copy);
  options.names = name_rule(flags);
  options.jobs = static_cast<unsigned>(
      std::clamp<std::uint64_t>(flags.find_unsigned("jobs").value_or(default_jobs), 1, most_jobs));
  options.newest =
      static_cast<unsigned>(std::min<std::uint64_t>(flags.find_unsigned("newest").value_or(0), 1u << 30));
  if (const auto shard = flags.find_text("shard")) options.shard = sync::Shard::parse(*shard);
  options.dry_run = flags.flag("dry-run");
  options.keep_going = flags.flag("keep-going");
  options.replace = flags.flag("skip-existing");
  options.prune = flags.flag("prune");
  options.retry = [retry = common::retry_options(flags)](const Context& context,
                                                         const std::function<void()>& work) {
    common::retry(context, retry, work);
  };
  return options;
}

class LogNarrator final : public sync::Narrator {
 public:
  explicit LogNarrator(common::LogrusLogger& logger) : logger_(logger) {}
  void tell(Level level, const std::string& message, const sync::Fields& fields) override {
    logger_.log(level, message, fields);
  }

 private:
  common::LogrusLogger& logger_;
};

void write_digests(const std::string& path, const sync::SyncResult& result) {
  std::string text;
  for (const auto& image : result.images)
    text += fmt::format("{} {}\n", image.digest.str(), image.destination);
  in_context("Error creating digest file", [&] {
    os::write_all(os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), io::as_bytes(text));
  });
}

int run_sync(Invocation& invocation) {
  if (invocation.arguments.size() != 2) invocation.refuse_usage("Exactly two arguments expected", true);
  const Flags& flags = invocation.flags;
  const std::string from = flags.text("src"), to = flags.text("dest");
  common::Session session(invocation);
  const trust::PolicyContext policy = session.policy();
  check_transports(from, to);

  sync::SyncOptions options = sync_options_of(invocation);
  options.copy.platform = session.platform();
  options.journal = journal_path(flags, session.environment(),
                                 fmt::format("{} {} {} {} {}", from, invocation.arguments[0], to,
                                             invocation.arguments[1], flags.text("shard")));
  const auto cache =
      config::make_blob_info_cache(config::blob_info_cache_path(session.environment()), invocation.logger);
  options.copy.cache = cache.get();
  sync::Source source{from, invocation.arguments[0], {}, {}};
  source.tags = {flags.list("include"), flags.list("exclude"), flags.text("tag-regex"), flags.text("semver")};
  if (from == "docker" || from == "yaml") source.options.registry = session.registry_options("src-");
  transport::Options there;
  if (to == "docker") there.registry = session.registry_options("dest-");
  const sync::Destination destination(to, invocation.arguments[1], there);

  LogNarrator narrator(invocation.logger);
  if (options.dry_run) narrator.tell(Level::warning, "Running in dry-run mode", {});
  const sync::SyncResult result =
      sync::sync(invocation.context, policy, source, destination, options, narrator);
  if (flags.given("digestfile") && !options.dry_run) write_digests(flags.text("digestfile"), result);
  if (result.failed)
    throw Error(Kind::system, "Sync failed due to previous reported error(s) for one or more images");
  return 0;
}

}  // namespace

const common::Command sync_command{
    .name = "sync",
    .summary = "Synchronize one or more images from one location to another",
    .description =
        "Copy all the images from a SOURCE to a DESTINATION.\n\n"
        "Allowed SOURCE transports (specified with --src): docker, dir, oci, yaml.\n"
        "Allowed DESTINATION transports (specified with --dest): docker, dir, oci.\n\n"
        "Images that are at the destination already are not copied again.",
    .synopsis = "[command options] --src TRANSPORT --dest TRANSPORT SOURCE DESTINATION",
    .example = "sync --src docker --dest dir --scoped registry.example.com/busybox /media/usb",
    .argument = common::ArgumentHint::file,
    .options = sync_options,
    .run = run_sync};

}  // namespace lade::skopeo
