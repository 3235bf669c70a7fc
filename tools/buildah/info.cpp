#include <fmt/format.h>

#include <filesystem>

#include "buildah/commands.hpp"
#include "common/template/evaluate.hpp"
#include "engines/host.hpp"
#include "spec/platform.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using spec::Json;

constexpr int json_indent = 4;
constexpr const char* no_build_time = "Thu Jan  1 00:00:00 1970";

std::vector<Option> options_of_info() {
  return {{.name = "debug", .short_name = 'd', .help = "display additional debug information"},
          {.name = "format",
           .kind = ValueKind::text,
           .help = "use format as a Go template to format the output"}};
}

// Members in the order of their names, as Go writes maps.
Json host_json(const engine::HostFacts& facts, bool rootless, const std::string& runtime) {
  return {{"Distribution",
           {{"distribution", facts.distribution.id}, {"version", facts.distribution.version}}},
          {"MemFree", facts.memory_free},
          {"MemTotal", facts.memory_total},
          {"OCIRuntime", runtime},
          {"SwapFree", facts.swap_free},
          {"SwapTotal", facts.swap_total},
          {"arch", facts.architecture},
          {"cpus", facts.cpus},
          {"hostname", facts.hostname},
          {"kernel", facts.kernel},
          {"os", facts.os},
          {"rootless", rootless},
          {"uptime", engine::uptime_text(facts.uptime)},
          {"variant", facts.variant}};
}

Json store_json(engines::EngineSession& session) {
  const auto& options = session.store_options();
  const auto layout = session.store()->layout();
  return {{"ContainerStore", {{"number", session.store()->containers(session.context()).size()}}},
          {"GraphDriverName", layout.driver},
          {"GraphImageStore", layout.has_image_store() ? layout.image_root.string() : ""},
          {"GraphOptions", options.driver_options.empty() ? Json(nullptr) : Json(options.driver_options)},
          {"GraphRoot", layout.graph_root.string()},
          {"GraphStatus", engines::graph_status(layout, options)},
          {"GraphTransientStore", layout.transient},
          {"ImageStore", {{"number", session.store()->images(session.context()).size()}}},
          {"RunRoot", layout.run_root.string()}};
}

int run_info(Invocation& invocation) {
  engines::require_exactly(invocation, 0);
  engines::EngineSession session(invocation);
  Json info = Json::object();
  if (invocation.flags.flag("debug"))
    info["debug"] = {{"buildah version", emulated_version}, {"lade version", LADE_VERSION}};
  std::string runtime = session.session().environment().get("BUILDAH_RUNTIME");
  // This program is one.
  if (runtime.empty()) runtime = std::filesystem::read_symlink("/proc/self/exe");
  info["host"] = host_json(engine::HostFacts::read(), session.store_options().rootless, runtime);
  info["store"] = store_json(session);
  const std::string format = invocation.flags.text("format");
  if (format.empty()) {
    invocation.out.line(spec::dump_json(info, json_indent));
    return 0;
  }
  if (format.find("{{") == std::string::npos)
    throw Error(Kind::invalid_input, fmt::format("invalid format provided: {}", format));
  invocation.out.line(common::gotemplate::render("info", format, common::gotemplate::Value(std::move(info))));
  return 0;
}

std::vector<Option> options_of_version() {
  return {{.name = "json", .help = "output in JSON format"}};
}

Json version_facts() {
  const std::string platform = spec::host_os() + "/" + spec::host_architecture();
  return {{"version", emulated_version},
          {"goVersion", "none"},
          {"imageSpec", "1.1.1"},
          {"runtimeSpec", "1.3.0"},
          {"imageVersion", "lade " LADE_VERSION},
          {"gitCommit", ""},
          {"built", no_build_time},
          {"osArch", platform},
          {"buildPlatform", platform}};
}

int run_version(Invocation& invocation) {
  engines::require_exactly(invocation, 0);
  const Json facts = version_facts();
  if (invocation.flags.flag("json")) {
    invocation.out.line(spec::dump_json(facts, json_indent));
    return 0;
  }
  constexpr std::pair<const char*, const char*> titles[] = {
      {"Version", "version"},        {"Go Version", "goVersion"},       {"Image Spec", "imageSpec"},
      {"Runtime Spec", "runtimeSpec"}, {"image Version", "imageVersion"}, {"Git Commit", "gitCommit"},
      {"Built", "built"},            {"OS/Arch", "osArch"},             {"BuildPlatform", "buildPlatform"}};
  for (const auto& [title, member] : titles)
    invocation.out.line(
        fmt::format("{:<16} {}", std::string(title) + ":", facts[member].get<std::string>()));
  return 0;
}

}  // namespace

const common::Command info_command{.name = "info",
                                   .summary = "Display Buildah system information",
                                   .description =
                                       "Displays information about the host and current storage statistics "
                                       "which are useful when reporting issues.",
                                   .synopsis = "[flags]",
                                   .example = "info",
                                   .options = options_of_info,
                                   .run = run_info};

const common::Command version_command{.name = "version",
                                      .summary = "Display the Buildah version information",
                                      .description =
                                          "Displays the version of buildah that lade stands in for, and lade's "
                                          "own as that of the image library.",
                                      .synopsis = "[flags]",
                                      .example = "version",
                                      .options = options_of_version,
                                      .run = run_version,
          .needs_namespace = common::needs_no_namespace};

}  // namespace lade::buildah
