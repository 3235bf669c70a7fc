#include "store/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "engine/migrate.hpp"
#include "engines/front.hpp"
#include "spec/json.hpp"
#include "store/commands.hpp"

namespace lade::store_tool {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using store::Finding;

constexpr int exit_findings = 1;

std::vector<Option> check_options() {
  return {
      {.name = "force",
       .short_name = 'f',
       .help = "with --repair: give up damaged images that no container uses, and directories nobody knows"},
      {.name = "jobs",
       .short_name = 'j',
       .kind = ValueKind::unsigned_integer,
       .help = "layers that are read at a time (default: the number of processors)"},
      {.name = "json", .help = "print the findings as JSON"},
      {.name = "max",
       .short_name = 'm',
       .kind = ValueKind::duration,
       .help = "how old layers may be that no image or container needs (default 24h)"},
      {.name = "quick", .short_name = 'q', .help = "do not read the contents of layers and documents"},
      {.name = "repair", .short_name = 'r', .help = "mend what can be mended without losing anything sound"},
  };
}

std::string_view word_of(Finding::Mend mend) {
  switch (mend) {
    case Finding::Mend::never: return "none";
    case Finding::Mend::plain: return "repair";
    case Finding::Mend::by_force: return "force";
  }
  return "";
}

std::string what_mending_does(const Finding& finding) {
  if (finding.mended) return fmt::format("; mended: {}", words_of(finding.remedy));
  switch (finding.mend) {
    case Finding::Mend::never: return "; cannot be mended";
    case Finding::Mend::plain: return fmt::format("; with --repair, {}", words_of(finding.remedy));
    case Finding::Mend::by_force: return fmt::format("; with --repair --force, {}", words_of(finding.remedy));
  }
  return "";
}

std::string line_of(const Finding& finding) {
  std::string line(name_of(finding.object));
  if (!finding.id.empty()) line += " " + finding.id;
  if (!finding.names.empty()) line += fmt::format(" ({})", fmt::join(finding.names, ", "));
  line += ": " + finding.problem;
  if (!finding.path.empty()) line += fmt::format(" [{}]", finding.path.string());
  return line + what_mending_does(finding);
}

spec::Json json_of(const Finding& finding) {
  return {{"object", name_of(finding.object)},  {"id", finding.id},           {"names", finding.names},
          {"path", finding.path.string()},      {"problem", finding.problem}, {"mend", word_of(finding.mend)},
          {"remedy", words_of(finding.remedy)}, {"mended", finding.mended}};
}

void print(Invocation& invocation, const std::vector<Finding>& findings) {
  if (invocation.flags.flag("json")) {
    spec::Json list = spec::Json::array();
    for (const Finding& finding : findings) list.push_back(json_of(finding));
    invocation.out.line(spec::dump_json(list, 4));
    return;
  }
  for (const Finding& finding : findings) invocation.out.line(line_of(finding));
}

config::StoreOptions store_of(const Invocation& invocation, engines::EngineSession& session) {
  // The store that this program is told to use, by its options or by the configuration.
  if (invocation.arguments.empty() || invocation.arguments.front() == "containers-storage:")
    return session.store_options();
  const auto place =
      engine::parse_migration_place(invocation.arguments.front(), session.session().environment(), {});
  if (!place.options.store)
    throw Error(Kind::invalid_input, fmt::format("{} is not a store", invocation.arguments.front()));
  return *place.options.store;
}

int run_check(Invocation& invocation) {
  engines::require_at_most(invocation, 1);
  const common::Flags& flags = invocation.flags;
  if (flags.flag("force") && !flags.flag("repair"))
    throw Error(Kind::invalid_input, "--force is for --repair");
  engines::EngineSession session(invocation);
  const config::StoreOptions options = store_of(invocation, session);
  store::CheckOptions check;
  check.quick = flags.flag("quick");
  check.threads = static_cast<unsigned>(std::clamp<std::uint64_t>(
      flags.find_unsigned("jobs").value_or(std::max(1U, std::thread::hardware_concurrency())), 1, 64));
  if (const auto age = flags.find_duration("max"))
    check.unneeded_age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  auto findings = store::check_store(session.context(), options, check);
  if (flags.flag("repair")) store::repair_store(session.context(), options, flags.flag("force"), findings);
  print(invocation, findings);
  invocation.out.flush();
  return std::ranges::all_of(findings, &Finding::mended) ? 0 : exit_findings;
}

}  // namespace

const common::Command check_command{
    .name = "check",
    .summary = "Find what is wrong in a store",
    .description =
        "Verifies the records, files and digests of a store. One line for each thing that is wrong.",
    .synopsis = "[command options] [STORE]",
    .example = "check\ncheck --repair [overlay@/var/lib/containers/storage+/run/containers/storage]",
    .options = check_options,
    .run = run_check};

}  // namespace lade::store_tool
