// state, list, ps, spec, features.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/report.hpp"
#include "os/atomic_file.hpp"
#include "runtime/commands.hpp"
#include "runtime/front.hpp"

namespace lade::runtime_tool {
namespace {

using common::Command;
using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr int json_indent = 2;

int run_state(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    session.invocation.out.line(spec::dump_json(to_json(session.runtime.state(session.id())), json_indent));
    return 0;
  });
}

bool wants_json(const Session& session, const char* otherwise) {
  const std::string format = session.flags().find_text("format").value_or(otherwise);
  if (format != "json" && format != "table") throw Error(Kind::invalid_input, "unknown format " + format);
  return format == "json";
}

std::vector<Option> list_options() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .value_name = "FORMAT",
           .help = "table or json",
           .choices = {"table", "json"}},
          {.name = "quiet", .short_name = 'q', .help = "only ids"}};
}

int run_list(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    if (!session.invocation.arguments.empty()) session.invocation.refuse_usage("too many arguments");
    const auto states = session.runtime.list();
    common::Output& out = session.invocation.out;
    if (session.flags().flag("quiet")) {
      for (const runtime::State& state : states) out.line(state.id);
      return 0;
    }
    if (wants_json(session, "table")) {
      spec::Json all = spec::Json::array();
      for (const runtime::State& state : states) all.push_back(to_json(state));
      out.line(spec::dump_json(all));
      return 0;
    }
    std::string table = "NAME\tPID\tSTATUS\tBUNDLE PATH\tCREATED\tOWNER\n";
    for (const runtime::State& state : states)
      table += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", state.id, state.pid, to_string(state.status),
                           state.bundle, state.created, state.owner);
    out.write(common::align_columns(table) + "\n");
    return 0;
  });
}

std::vector<Option> ps_options() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .value_name = "FORMAT",
           .help = "table or json",
           .choices = {"table", "json"}}};
}

int run_ps(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    const std::string id = session.id();
    const auto pids = session.runtime.processes(id);
    if (wants_json(session, "table")) {
      session.invocation.out.line(spec::dump_json(spec::Json(pids)));
      return 0;
    }
    std::string table = "PID\n";
    for (const pid_t pid : pids) table += fmt::format("{}\n", pid);
    session.invocation.out.write(table);
    return 0;
  });
}

std::vector<Option> spec_options() {
  return {{.name = "bundle",
           .short_name = 'b',
           .kind = ValueKind::text,
           .value_name = "DIR",
           .help = "where config.json is written (default \".\")"},
          {.name = "file",
           .short_name = 'f',
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "another name for it"}};
}

int run_spec(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    const auto& flags = session.flags();
    namespace fs = std::filesystem;
    const fs::path target =
        fs::path(flags.find_text("bundle").value_or(".")) / flags.find_text("file").value_or("config.json");
    if (fs::exists(target)) throw Error(Kind::already_exists, target.string() + " exists already");
    const bool rootless = flags.text("rootless") == "true";
    const runtime::Spec spec = runtime::default_spec(rootless, ::geteuid(), ::getegid());
    os::write_file(target, spec::dump_json(to_json(spec), json_indent) + "\n");
    return 0;
  });
}

int run_features(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    session.invocation.out.line(spec::dump_json(runtime::features(), json_indent));
    return 0;
  });
}

}  // namespace

const Command state_command = {.name = "state",
                               .summary = "Show the state of a container",
                               .description = "Prints the state as JSON.",
                               .synopsis = "CONTAINER",
                               .example = "state c1",
                               .run = run_state};
const Command list_command = {.name = "list",
                              .summary = "List containers",
                              .description = "Lists the containers of the state directory.",
                              .synopsis = "[options]",
                              .example = "list --format json",
                              .options = list_options,
                              .run = run_list};
const Command ps_command = {.name = "ps",
                            .summary = "Show the processes of a container",
                            .description = "Prints the ids of the processes, as this system numbers them.",
                            .synopsis = "[options] CONTAINER",
                            .example = "ps c1",
                            .options = ps_options,
                            .run = run_ps};
const Command spec_command = {
    .name = "spec",
    .summary = "Write a configuration to begin with",
    .description =
        "Writes config.json for a shell in namespaces of its own. With --rootless=true one for this user.",
    .synopsis = "[options]",
    .example = "spec --bundle /tmp/bundle",
    .options = spec_options,
    .run = run_spec};
const Command features_command = {
    .name = "features",
    .summary = "Show what this runtime can do",
    .description = "Prints the features document of the OCI runtime specification.",
    .synopsis = "",
    .example = "features",
    .run = run_features};

}  // namespace lade::runtime_tool
