#include "engine/migrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "common/option_groups.hpp"
#include "engines/front.hpp"
#include "store/commands.hpp"

namespace lade::store_tool {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using engine::MigrationEvent;
using engine::MigrationPlace;
using engine::MigrationSummary;

std::vector<Option> daemon_options(const std::string& prefix, const std::string& side) {
  return {{.name = prefix + "cert-dir",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "ca.pem, cert.pem and key.pem for the " + side + " docker daemon",
           .group = "Docker daemons"},
          {.name = prefix + "daemon-host",
           .kind = ValueKind::text,
           .value_name = "HOST",
           .help = "where the " + side + " docker daemon is (default unix:///var/run/docker.sock)",
           .group = "Docker daemons"},
          {.name = prefix + "tls-verify",
           .help = "verify the certificate of the " + side + " docker daemon",
           .group = "Docker daemons"}};
}

std::vector<Option> migrate_options() {
  std::vector<Option> options = {
      {.name = "dry-run", .short_name = 'n', .help = "only say what would be copied"},
      {.name = "jobs",
       .short_name = 'j',
       .kind = ValueKind::unsigned_integer,
       .help = "images and layers that are copied at a time (default: the number of processors)"},
      {.name = "move", .help = "remove each image from SOURCE once it was verified at DESTINATION"},
      {.name = "quiet", .short_name = 'q', .help = "no lines but those of what failed or stays behind"},
      {.name = "tmpdir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory used to store temporary files (default /var/tmp)"},
  };
  common::append(options, daemon_options("src-", "source"));
  common::append(options, daemon_options("dest-", "destination"));
  return options;
}

std::string_view word_of(MigrationEvent::What what) {
  using What = MigrationEvent::What;
  switch (what) {
    case What::planned: return "would copy";
    case What::copied: return "copied";
    case What::completed: return "completed";
    case What::present: return "already there";
    case What::removed: return "removed";
    case What::kept: return "not removed";
    case What::left: return "left behind";
    case What::failed: return "failed";
  }
  return "";
}

std::string line_of(const MigrationEvent& event) {
  std::string line = fmt::format("{}: {}", word_of(event.what), event.subject);
  if (!event.names.empty()) line += fmt::format(" ({})", fmt::join(event.names, ", "));
  if (!event.reason.empty()) line += ": " + event.reason;
  return line;
}

std::string line_of(const MigrationSummary& summary, bool dry_run) {
  if (dry_run) return fmt::format("{} would be copied, {} already there", summary.planned, summary.present);
  std::string line = fmt::format("{} copied, {} completed, {} already there, {} failed", summary.copied,
                                 summary.completed, summary.present, summary.failed);
  if (summary.removed + summary.kept > 0)
    line += fmt::format(", {} removed from the source, {} not", summary.removed, summary.kept);
  return line;
}

MigrationPlace place_of(engines::EngineSession& session, const std::string& text, std::string_view prefix) {
  const common::Flags& flags = session.invocation().flags;
  const auto named = [&](std::string_view option) { return fmt::format("{}{}", prefix, option); };
  transport::Options options;
  options.registry.user_agent = session.invocation().program.user_agent;
  options.docker_daemon = {.host = flags.text(named("daemon-host")),
                           .cert_dir = flags.text(named("cert-dir")),
                           .tls_verify = flags.find_flag(named("tls-verify")).value_or(true)};
  if (const auto directory = flags.find_text("tmpdir")) options.big_files_dir = *directory;
  auto place = engine::parse_migration_place(text, session.session().environment(), std::move(options));
  // The store that this program is told to use, by its options or by the configuration.
  if (text == "containers-storage:") place.options.store = session.store_options();
  return place;
}

bool is_quiet_about(const MigrationEvent& event) {
  using What = MigrationEvent::What;
  return event.what != What::failed && event.what != What::left && event.what != What::kept;
}

int run_migrate(Invocation& invocation) {
  engines::require_exactly(invocation, 2);
  const common::Flags& flags = invocation.flags;
  engines::EngineSession session(invocation);
  const MigrationPlace from = place_of(session, invocation.arguments[0], "src-");
  const MigrationPlace to = place_of(session, invocation.arguments[1], "dest-");
  engine::MigrateOptions options;
  options.move = flags.flag("move");
  options.dry_run = flags.flag("dry-run");
  options.jobs = std::clamp<std::uint64_t>(
      flags.find_unsigned("jobs").value_or(std::max(1U, std::thread::hardware_concurrency())), 1, 64);
  const bool quiet = flags.flag("quiet");
  const auto say = [&](const MigrationEvent& event) {
    if (quiet && is_quiet_about(event)) return;
    invocation.out.line(line_of(event));
    invocation.out.flush();
  };
  const auto summary = engine::migrate(session.context(), session.session().policy(), from, to, options, say);
  if (!quiet) invocation.out.line(line_of(summary, options.dry_run));
  invocation.out.flush();
  return summary.failed == 0 ? 0 : 1;
}

}  // namespace

const common::Command migrate_command{
    .name = "migrate",
    .summary = "Copy or move all images from one place to another",
    .description =
        "Copies all images of SOURCE to DESTINATION. Each is a store, [DRIVER@ROOT+RUNROOT:OPTIONS] or "
        "containers-storage:, or docker-daemon: or oci:DIR.",
    .synopsis = "[command options] SOURCE DESTINATION",
    .example =
        "migrate containers-storage: [overlay@/data/storage+/run/data]\n"
        "migrate --move [vfs@/old+/run/old] [overlay@/new+/run/new]\n"
        "migrate docker-daemon: containers-storage:",
    .options = migrate_options,
    .run = run_migrate};

}  // namespace lade::store_tool
