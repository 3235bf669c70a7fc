#include "podman/version.hpp"

#include "common/report.hpp"
#include "engines/front.hpp"
#include "podman/commands.hpp"
#include "spec/platform.hpp"

namespace lade::podman {
namespace {

using common::gotemplate::GoType;
using spec::Json;
namespace go = common::gotemplate;

constexpr const char* no_build_time = "Thu Jan  1 00:00:00 1970";
constexpr go::GoField report_fields[] = {{"Client", "Client", &version_type}, {"Server", "Server", &version_type}};
constexpr GoType report_type{go::Shape::structure, "*types.SystemVersionReport", nullptr, report_fields};

std::string table_of(const Json& version) {
  std::string lines = "Client:\tPodman Engine\n";
  const auto add = [&](const char* title, const char* member) {
    lines.append(title).append(":\t").append(version[member].get<std::string>()).append("\n");
  };
  add("Version", "Version");
  add("API Version", "APIVersion");
  add("Go Version", "GoVersion");
  add("Built", "BuiltTime");
  add("Build Origin", "BuildOrigin");
  add("OS/Arch", "OsArch");
  return common::align_columns(lines);
}

// Older templates name the server, of which there is none, or the fields of the client alone.
std::string rendered(const Json& report, std::string format) {
  constexpr std::string_view server = ".Server.";
  const bool names_server = format.find(server) != std::string::npos;
  for (std::size_t at; (at = format.find(server)) != std::string::npos;) format.replace(at, server.size(), ".");
  try {
    if (!names_server) return common::render_report("version", format, go::Value(report, report_type));
  } catch (const Error& error) {
    if (format.find(".Client") != std::string::npos) throw;
  }
  return common::render_report("version", format, go::Value(report["Client"], version_type));
}

std::vector<common::Option> options_of_version() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = common::ValueKind::text,
           .help = "Change the output format to JSON or a Go template"}};
}

int run_version(common::Invocation& invocation) {
  engines::require_none(invocation);
  const Json report = {{"Client", version_json()}};
  const std::string format = invocation.flags.text("format");
  if (common::is_json_format(format)) {
    invocation.out.line(spec::dump_json(report));
    return 0;
  }
  invocation.out.write(format.empty() ? table_of(report["Client"]) : rendered(report, format));
  return 0;
}

}  // namespace

Json version_json() {
  const std::string os = spec::host_os();
  return {{"APIVersion", emulated_version},
          {"Version", emulated_version},
          {"GoVersion", "none"},
          {"GitCommit", ""},
          {"BuiltTime", no_build_time},
          {"Built", 0},
          {"BuildOrigin", "lade " LADE_VERSION},
          {"OsArch", os + "/" + spec::host_architecture()},
          {"Os", os}};
}

const common::Command version_command{.name = "version",
                                      .summary = "Display the Podman version information",
                                      .description =
                                          "Shows the version of podman that lade stands in for, and lade's own "
                                          "as the build's origin.",
                                      .synopsis = "[options]",
                                      .example = "version\nversion --format '{{.Client.Version}}'",
                                      .options = options_of_version,
                                      .run = run_version,
          .needs_namespace = common::needs_no_namespace};

}  // namespace lade::podman
