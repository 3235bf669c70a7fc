#include "buildah/container_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "build/capabilities.hpp"
#include "build/ulimits.hpp"
#include "common/go_text.hpp"
#include "os/file.hpp"
#include "os/subordinate_ids.hpp"

namespace lade::buildah {

using common::Flags;
using common::Option;
using common::ValueKind;
using spec::Json;

namespace {

constexpr std::uint64_t max_subordinate_file = 1 << 20;

Option list_flag(const char* name, const char* value, const char* help) {
  return {.name = name, .kind = ValueKind::list, .value_name = value, .help = help};
}
Option texts_flag(const char* name, const char* value, const char* help, char short_name = 0) {
  return {
      .name = name, .short_name = short_name, .kind = ValueKind::texts, .value_name = value, .help = help};
}
Option text_flag(const char* name, const char* value, const char* help, char short_name = 0) {
  return {.name = name, .short_name = short_name, .kind = ValueKind::text, .value_name = value, .help = help};
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

[[noreturn]] void refuse_flag(std::string text) {
  throw Error(Kind::invalid_input, std::move(text));
}

void append_text(Json& common, const char* member, const std::string& value) {
  Json& list = common[member];
  if (!list.is_array()) list = Json::array();
  list.push_back(value);
}

void take_security_options(const Flags& flags, Json& common) {
  for (const auto& option : flags.list("security-opt")) {
    if (option == "no-new-privileges") {
      common["NoNewPrivileges"] = true;
      continue;
    }
    const auto equals = option.find('=');
    if (equals == std::string::npos)
      refuse_flag(fmt::format("invalid --security-opt name=value pair: \"{}\"", option));
    const std::string name = option.substr(0, equals), value = option.substr(equals + 1);
    if (name == "label")
      append_text(common, "LabelOpts", value);
    else if (name == "apparmor")
      common["ApparmorProfile"] = value;
    else if (name == "seccomp")
      common["SeccompProfilePath"] = value;
    else if (name == "mask" || name == "unmask")
      for (const auto& path : split_at(value, ':'))
        append_text(common, name == "mask" ? "Masks" : "Unmasks", path);
    else
      refuse_flag(fmt::format("invalid --security-opt 2: \"{}\"", option));
  }
}

void take_dns(const Flags& flags, Json& common) {
  const auto servers = flags.list("dns");
  const bool none = std::ranges::find(servers, "none") != servers.end();
  if (none && servers.size() > 1)
    refuse_flag("invalid --dns, --dns=none may not be used with any other --dns options");
  for (const char* option : {"dns-search", "dns-option"})
    if (none && flags.given(option))
      refuse_flag(fmt::format("invalid --{}, --{} may not be used with --dns=none", option, option));
  if (flags.given("dns")) common["DNSServers"] = servers;
  if (flags.given("dns-search")) common["DNSSearch"] = flags.list("dns-search");
  if (flags.given("dns-option")) common["DNSOptions"] = flags.list("dns-option");
}

void take_limits(WorkSession& session, Json& common) {
  const Flags& flags = session.invocation().flags;
  if (flags.given("memory"))
    common["Memory"] = parse_memory(flags.text("memory"), "invalid value for memory");
  if (const auto swap = flags.find_text("memory-swap"); swap && !swap->empty())
    common["MemorySwap"] = *swap == "-1" ? -1 : parse_memory(*swap, "invalid value for memory-swap");
  if (const auto value = flags.find_unsigned("cpu-period")) common["CPUPeriod"] = *value;
  if (const auto value = flags.find_integer("cpu-quota")) common["CPUQuota"] = *value;
  if (const auto value = flags.find_unsigned("cpu-shares")) common["CPUShares"] = *value;
  common["CPUSetCPUs"] = flags.text("cpuset-cpus");
  common["CPUSetMems"] = flags.text("cpuset-mems");
  common["CgroupParent"] = flags.text("cgroup-parent");
  const std::string shm = flags.find_text("shm-size").value_or(session.containers_conf().shm_size);
  parse_memory(shm, "invalid --shm-size");
  common["ShmSize"] = shm;
  std::vector<std::string> ulimits = session.containers_conf().default_ulimits;
  for (const auto& limit : flags.list("ulimit")) ulimits.push_back(limit);
  for (const auto& limit : ulimits) build::parse_ulimit(limit);
  common["Ulimit"] = ulimits;
}

void check_hosts(const std::vector<std::string>& hosts) {
  for (const auto& host : hosts) {
    const auto colon = host.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == host.size())
      refuse_flag(fmt::format("invalid value for add-host: bad format for add-host: \"{}\"", host));
  }
}

std::string how_of(const std::string& word) {
  return word.starts_with("ns:") ? word.substr(3) : word;
}

}  // namespace

std::int64_t parse_memory(const std::string& text, const std::string& what) {
  return in_context(what, [&] { return static_cast<std::int64_t>(common::parse_size(text)); });
}

std::vector<Option> container_options() {
  return {
      list_flag("add-host", "HOST:IP", "add a custom host-to-IP mapping"),
      list_flag("cap-add", "CAPABILITY", "add the specified capability when running"),
      list_flag("cap-drop", "CAPABILITY", "drop the specified capability when running"),
      text_flag("cgroup-parent", "PATH", "optional parent cgroup for the container"),
      {.name = "cpu-period", .kind = ValueKind::unsigned_integer, .help = "limit the CPU CFS period"},
      {.name = "cpu-quota", .kind = ValueKind::integer, .help = "limit the CPU CFS quota"},
      {.name = "cpu-shares",
       .short_name = 'c',
       .kind = ValueKind::unsigned_integer,
       .help = "CPU shares (relative weight)"},
      text_flag("cpuset-cpus", "CPUS", "CPUs in which to allow execution (0-3, 0,1)"),
      text_flag("cpuset-mems", "NODES", "memory nodes in which to allow execution (0-3, 0,1)"),
      texts_flag("device", "HOST-DEVICE[:DEVICE[:PERMISSIONS]]", "additional devices to provide"),
      list_flag("dns", "SERVER", "set custom DNS servers, or \"none\": the image's own resolv.conf"),
      list_flag("dns-option", "OPTION", "set custom DNS options"),
      list_flag("dns-search", "DOMAIN", "set custom DNS search domains"),
      {.name = "http-proxy", .help = "pass through HTTP proxy environment variables (default true)"},
      {.name = "isolation",
       .kind = ValueKind::text,
       .help = "type of process isolation to use. Use BUILDAH_ISOLATION environment variable to override",
       .choices = {"oci", "rootless", "chroot"}},
      text_flag("memory", "SIZE", "memory limit (format: <number>[<unit>], where unit = b, k, m or g)", 'm'),
      text_flag("memory-swap", "SIZE", "swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
      texts_flag("security-opt", "OPTION",
                 "security options: label=, apparmor=, seccomp=, mask=, unmask=, "
                 "no-new-privileges"),
      text_flag("shm-size", "SIZE", "size of '/dev/shm' (format: <number><unit>)"),
      list_flag("ulimit", "NAME=SOFT[:HARD]", "ulimit options"),
      texts_flag("volume", "SOURCE:DESTINATION[:OPTIONS]", "bind mount a volume into the container", 'v'),
  };
}

std::vector<Option> namespace_options() {
  return {
      text_flag("cgroupns", "HOW", "'private', or 'host'"),
      text_flag("ipc", "HOW", "'private', path of IPC namespace to join, or 'host'"),
      {.name = "network",
       .kind = ValueKind::text,
       .value_name = "HOW",
       .help = "'private', 'none', 'ns:path' of network namespace to join, names of networks, or 'host'",
       .aliases = {"net"}},
      text_flag("pid", "HOW", "'private', path of PID namespace to join, or 'host'"),
      text_flag("uts", "HOW", "'private', path of UTS namespace to join, or 'host'"),
  };
}

std::vector<Option> id_map_options() {
  return {
      text_flag("userns", "HOW", "'container', path of user namespace to join, or 'host'"),
      list_flag("userns-gid-map", "CONTAINER-GID:HOST-GID:LENGTH", "GID mapping to use in user namespace"),
      text_flag("userns-gid-map-group", "NAME",
                "name of entries from /etc/subgid to use to set user namespace GID mapping"),
      list_flag("userns-uid-map", "CONTAINER-UID:HOST-UID:LENGTH", "UID mapping to use in user namespace"),
      text_flag("userns-uid-map-user", "NAME",
                "name of entries from /etc/subuid to use to set user namespace UID mapping"),
  };
}

namespace {

std::vector<layer::IdMap> parse_id_map(const std::vector<std::string>& triples, const char* flag) {
  std::vector<layer::IdMap> result;
  for (const auto& triple : triples) {
    std::vector<std::uint32_t> numbers;
    for (const auto& part : split_at(triple, ':')) {
      std::uint32_t number = 0;
      const auto end = std::from_chars(part.data(), part.data() + part.size(), number);
      if (part.empty() || end.ec != std::errc() || end.ptr != part.data() + part.size()) break;
      numbers.push_back(number);
    }
    if (numbers.size() != 3 || std::ranges::count(triple, ':') != 2)
      refuse_flag(fmt::format(
          "initializing ID mappings: {} setting is malformed expected [\"uint32:uint32:uint32\"]: [\"{}\"]",
          flag, fmt::join(triples, "\" \"")));
    result.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return result;
}

// One range after the other, from 0 on.
std::vector<layer::IdMap> subordinate_map(const char* file, const std::string& name) {
  std::vector<layer::IdMap> result;
  const std::string text = os::find_file(file, max_subordinate_file).value_or("");
  std::uint32_t next = 0;
  for (const auto& range : os::parse_subordinate_ids(text, name, static_cast<uid_t>(-1), file)) {
    result.push_back({next, range.first, range.count});
    next += range.count;
  }
  if (result.empty()) refuse_flag(fmt::format("no subordinate IDs for \"{}\" in {}", name, file));
  return result;
}

layer::IdMaps maps_of(const Flags& flags) {
  std::string user = flags.text("userns-uid-map-user"), group = flags.text("userns-gid-map-group");
  if (user.empty()) user = group;
  if (group.empty()) group = user;
  layer::IdMaps result;
  if (!user.empty()) result = {subordinate_map("/etc/subuid", user), subordinate_map("/etc/subgid", group)};
  if (flags.given("userns-gid-map") && !flags.given("userns-uid-map"))
    refuse_flag("userns-gid-map can not be used without --userns-uid-map");
  for (const auto& map : parse_id_map(flags.list("userns-uid-map"), "userns-uid-map")) result.uids.push_back(map);
  for (const auto& map : parse_id_map(flags.list("userns-gid-map"), "userns-gid-map")) result.gids.push_back(map);
  if (result.gids.empty()) result.gids = result.uids;
  return result;
}

// "" and words for a new one, "host", or a path.
build::NamespaceOption user_option(const Flags& flags, bool is_mapped) {
  build::NamespaceOption option{"user", !is_mapped, ""};
  if (!flags.given("userns")) return option;
  const std::string how = flags.text("userns");
  option.host = how == "host";
  if (how.starts_with("auto"))
    throw Error(Kind::unsupported, "--userns=auto is not available in lade yet");
  if (!how.empty() && how != "container" && how != "private" && how != "host") {
    option.path = how_of(how);
    if (!std::filesystem::exists(option.path))
      refuse_flag(fmt::format("checking user namespace: stat {}: no such file or directory", option.path));
  }
  return option;
}

}  // namespace

void take_id_maps(WorkSession& session, build::NewBuilder& wanted) {
  const Flags& flags = session.invocation().flags;
  wanted.ids = maps_of(flags);
  const bool is_mapped = !wanted.ids.uids.empty();
  if (!is_mapped && !flags.given("userns")) return;
  const auto option = user_option(flags, is_mapped);
  if (is_mapped && option.host)
    refuse_flag("can not specify ID mappings while using host's user namespace");
  if (is_mapped && session.store_options().rootless)
    throw Error(Kind::unsupported, "ID mappings of containers are available to root only, yet");
  wanted.namespaces = merge_namespaces(wanted.namespaces, {option});
}

NamespaceFlags namespace_flags(const Flags& flags) {
  NamespaceFlags result;
  for (const char* what : {"cgroupns", "ipc", "network", "pid", "uts"}) {
    if (!flags.has(what) || !flags.given(what)) continue;
    const bool is_network = std::string_view(what) == "network";
    const std::string how = flags.text(what);
    build::NamespaceOption option{std::string_view(what) == "cgroupns" ? "cgroup" : what, how == "host", ""};
    result.network = NetworkPolicy::enabled;
    if (is_network && how == "none") {
      result.network = NetworkPolicy::disabled;
    } else if (!how.empty() && how != "container" && how != "private" && how != "host") {
      option.path = how_of(how);
      const bool is_path = !is_network || option.path.starts_with('/');
      if (is_path && !std::filesystem::exists(option.path))
        refuse_flag(
            fmt::format("checking {} namespace: stat {}: no such file or directory", what, option.path));
    }
    result.options.push_back(std::move(option));
  }
  return result;
}

std::vector<build::NamespaceOption> merge_namespaces(std::vector<build::NamespaceOption> base,
                                                     const std::vector<build::NamespaceOption>& more) {
  for (const auto& option : more) {
    const auto same = std::ranges::find(base, option.name, &build::NamespaceOption::name);
    if (same == base.end())
      base.push_back(option);
    else
      *same = option;
  }
  return base;
}

std::vector<build::NamespaceOption> default_namespaces(const config::ContainersConf& conf) {
  return {{"cgroup", conf.cgroupns == "host", ""},
          {"ipc", conf.ipcns == "host", ""},
          {"mount", false, ""},
          {"network", conf.netns == "host", ""},
          {"pid", conf.pidns == "host", ""},
          {"user", conf.userns.empty() || conf.userns == "host", ""},
          {"uts", conf.utsns == "host", ""}};
}

void take_container_flags(WorkSession& session, build::NewBuilder& wanted) {
  const Flags& flags = session.invocation().flags;
  const auto& conf = session.containers_conf();
  Json& common = wanted.common;
  check_hosts(flags.list("add-host"));
  if (flags.given("add-host")) common["AddHost"] = flags.list("add-host");
  take_limits(session, common);
  take_dns(flags, common);
  take_security_options(flags, common);
  common["HTTPProxy"] = flags.find_flag("http-proxy").value_or(true);
  common["Volumes"] = flags.list("volume");
  wanted.state["Capabilities"] =
      build::merge_capabilities(conf.default_capabilities, flags.list("cap-add"), flags.list("cap-drop"));
  std::vector<std::string> devices = conf.devices;
  for (const auto& device : flags.list("device")) devices.push_back(device);
  wanted.state["DeviceSpecs"] = devices;
  const std::string isolation =
      flags.find_text("isolation").value_or(session.environment("BUILDAH_ISOLATION"));
  auto kind = build::parse_isolation(isolation);
  if (kind == build::Isolation::unset)
    kind = session.store_options().rootless ? build::Isolation::rootless : build::Isolation::oci;
  wanted.state["Isolation"] = static_cast<int>(kind);
  const auto namespaces = namespace_flags(flags);
  wanted.state["ConfigureNetwork"] = static_cast<int>(namespaces.network);
  wanted.namespaces = merge_namespaces(default_namespaces(conf), namespaces.options);
  if (flags.has("group-add")) wanted.state["GroupAdd"] = flags.list("group-add");
}

}  // namespace lade::buildah
