#include <fmt/format.h>
#include <sys/statvfs.h>

#include "common/report.hpp"
#include "common/yaml.hpp"
#include "engines/host.hpp"
#include "podman/commands.hpp"
#include "podman/version.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using spec::Json;
namespace go = common::gotemplate;

constexpr GoField cpu_fields[] = {{"UserPercent", "userPercent", &go::real_type},
                                  {"SystemPercent", "systemPercent", &go::real_type},
                                  {"IdlePercent", "idlePercent", &go::real_type}};
constexpr GoType cpu_type{go::Shape::structure, "*define.CPUUsage", nullptr, cpu_fields};
constexpr GoField distribution_fields[] = {{"Distribution", "distribution", &go::string_type},
                                           {"Variant", "variant", &go::string_type},
                                           {"Version", "version", &go::string_type},
                                           {"Codename", "codename", &go::string_type}};
constexpr GoType distribution_type{go::Shape::structure, "define.DistributionInfo", nullptr,
                                   distribution_fields};
constexpr GoField security_fields[] = {{"AppArmorEnabled", "apparmorEnabled", &go::boolean_type},
                                       {"Rootless", "rootless", &go::boolean_type},
                                       {"SECCOMPEnabled", "seccompEnabled", &go::boolean_type},
                                       {"SELinuxEnabled", "selinuxEnabled", &go::boolean_type}};
constexpr GoType security_type{go::Shape::structure, "define.SecurityInfo", nullptr, security_fields};
constexpr GoField host_fields[] = {{"Arch", "arch", &go::string_type},
                                   {"CgroupControllers", "cgroupControllers", &go::strings_type},
                                   {"CgroupsVersion", "cgroupVersion", &go::string_type},
                                   {"CPUUtilization", "cpuUtilization", &cpu_type},
                                   {"CPUs", "cpus", &go::integer_type},
                                   {"Distribution", "distribution", &distribution_type},
                                   {"Hostname", "hostname", &go::string_type},
                                   {"Kernel", "kernel", &go::string_type},
                                   {"MemFree", "memFree", &go::integer_type},
                                   {"MemTotal", "memTotal", &go::integer_type},
                                   {"OS", "os", &go::string_type},
                                   {"Security", "security", &security_type},
                                   {"ServiceIsRemote", "serviceIsRemote", &go::boolean_type},
                                   {"SwapFree", "swapFree", &go::integer_type},
                                   {"SwapTotal", "swapTotal", &go::integer_type},
                                   {"Uptime", "uptime", &go::string_type},
                                   {"Variant", "variant", &go::string_type}};
constexpr GoType host_type{go::Shape::structure, "*define.HostInfo", nullptr, host_fields};
constexpr GoField number_fields[] = {{"Number", "number", &go::integer_type}};
constexpr GoType number_type{go::Shape::structure, "define.ImageStore", nullptr, number_fields};
constexpr GoField store_fields[] = {{"ConfigFile", "configFile", &go::string_type},
                                    {"ContainerStore", "containerStore", &number_type},
                                    {"GraphDriverName", "graphDriverName", &go::string_type},
                                    {"GraphOptions", "graphOptions", &go::any_type},
                                    {"GraphRoot", "graphRoot", &go::string_type},
                                    {"GraphRootAllocated", "graphRootAllocated", &go::integer_type},
                                    {"GraphRootUsed", "graphRootUsed", &go::integer_type},
                                    {"GraphStatus", "graphStatus", &go::string_map_type},
                                    {"ImageCopyTmpDir", "imageCopyTmpDir", &go::string_type},
                                    {"ImageStore", "imageStore", &number_type},
                                    {"RunRoot", "runRoot", &go::string_type},
                                    {"TransientStore", "transientStore", &go::boolean_type},
                                    {"VolumePath", "volumePath", &go::string_type}};
constexpr GoType store_type{go::Shape::structure, "*define.StoreInfo", nullptr, store_fields};
constexpr GoField info_fields[] = {{"Host", "host", &host_type},
                                   {"Store", "store", &store_type},
                                   {"Registries", "registries", &go::any_type},
                                   {"Version", "version", &version_type}};
constexpr GoType info_type{go::Shape::structure, "*define.Info", nullptr, info_fields};

std::vector<Option> options_of_info() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .help = "Change the output format to JSON or a Go template"}};
}

Json host_json(const engine::HostFacts& facts, bool rootless) {
  Json distribution = {{"distribution", facts.distribution.id}, {"version", facts.distribution.version}};
  if (!facts.distribution.variant.empty()) distribution["variant"] = facts.distribution.variant;
  if (!facts.distribution.codename.empty()) distribution["codename"] = facts.distribution.codename;
  Json json = {{"arch", facts.architecture},
               {"cgroupControllers", facts.cgroup_controllers},
               {"cgroupVersion", facts.cgroup_version},
               {"cpuUtilization",
                {{"userPercent", facts.cpu.user},
                 {"systemPercent", facts.cpu.system},
                 {"idlePercent", facts.cpu.idle}}},
               {"cpus", facts.cpus},
               {"distribution", std::move(distribution)},
               {"hostname", facts.hostname},
               {"kernel", facts.kernel},
               {"memFree", facts.memory_free},
               {"memTotal", facts.memory_total},
               {"os", facts.os},
               {"security",
                {{"apparmorEnabled", facts.apparmor},
                 {"rootless", rootless},
                 {"seccompEnabled", facts.seccomp},
                 {"selinuxEnabled", facts.selinux}}},
               {"serviceIsRemote", false},
               {"swapFree", facts.swap_free},
               {"swapTotal", facts.swap_total},
               {"uptime", engine::uptime_text(facts.uptime)}};
  if (!facts.variant.empty()) json["variant"] = facts.variant;
  return json;
}

// The file that decides, or where it would have to be.
std::string config_file(engines::EngineSession& session) {
  const auto& files = session.store_options().files;
  if (!files.empty()) return files.front();
  const auto& environment = session.session().environment();
  const auto directory = environment.uid == 0 ? environment.system_path("/etc") : environment.config_home();
  return (directory / "containers" / "storage.conf").string();
}

Json store_json(engines::EngineSession& session) {
  const auto& options = session.store_options();
  const auto layout = session.store()->layout();
  struct ::statvfs disk {};
  (void)::statvfs(layout.graph_root.c_str(), &disk);
  const std::uint64_t block = disk.f_frsize;
  return {{"configFile", config_file(session)},
          {"containerStore", {{"number", session.store()->containers(session.context()).size()}}},
          {"graphDriverName", layout.driver},
          {"graphOptions", engines::graph_options(options)},
          {"graphRoot", layout.graph_root.string()},
          {"graphRootAllocated", disk.f_blocks * block},
          {"graphRootUsed", (disk.f_blocks - disk.f_bfree) * block},
          {"graphStatus", engines::graph_status(layout, options)},
          {"imageCopyTmpDir", session.session().environment().find("TMPDIR").value_or("/var/tmp")},
          {"imageStore", {{"number", session.store()->images(session.context()).size()}}},
          {"runRoot", layout.run_root.string()},
          {"transientStore", layout.transient},
          {"volumePath", engines::volume_path(session).string()}};
}

Json registries_json(const config::RegistriesConf& registries) {
  Json json = Json::object();
  for (const auto& entry : registries.registries()) {
    Json mirrors = Json::array();
    for (const auto& mirror : entry.mirrors)
      mirrors.push_back({{"Location", mirror.location}, {"Insecure", mirror.insecure}});
    json[entry.prefix] = {{"Prefix", entry.prefix},
                          {"Location", entry.location},
                          {"Insecure", entry.insecure},
                          {"Blocked", entry.blocked},
                          {"MirrorByDigestOnly", entry.mirror_by_digest_only},
                          {"Mirrors", mirrors.empty() ? Json(nullptr) : std::move(mirrors)}};
  }
  if (const auto& search = registries.unqualified_search_registries(); !search.empty())
    json["search"] = search;
  return json;
}

int run_info(Invocation& invocation) {
  engines::require_none(invocation);
  engines::EngineSession session(invocation);
  Json info = {{"host", host_json(engine::HostFacts::read(), session.store_options().rootless)},
               {"store", store_json(session)},
               {"registries", registries_json(session.registries())},
               {"version", version_json()}};
  const std::string format = invocation.flags.text("format");
  if (format.empty())
    invocation.out.write(common::dump_yaml(info));
  else if (common::is_json_format(format))
    invocation.out.line(spec::dump_json(info, 2));
  else
    invocation.out.write(common::render_report("info", format, go::Value(std::move(info), info_type)));
  return 0;
}

common::Command info_named(std::string_view name) {
  return {.name = name,
          .summary = "Display podman system information",
          .description =
              "Shows facts of the machine, the store, the registries that are configured and lade's version.",
          .synopsis = "[options]",
          .example = "info\ninfo --format '{{.Store.GraphRoot}}'",
          .options = options_of_info,
          .run = run_info};
}

}  // namespace

const common::Command info_command = info_named("info");
const common::Command system_info_command = info_named("system info");

}  // namespace lade::podman
