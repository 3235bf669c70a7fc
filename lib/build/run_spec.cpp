#include "build/run_spec.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "base/error.hpp"
#include "build/capabilities.hpp"
#include "build/ulimits.hpp"
#include "os/file.hpp"

namespace lade::build {

using spec::Json;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t usual_limit = 1048576;
constexpr std::array masked_paths = {"/proc/acpi",        "/proc/kcore",
                                     "/proc/keys",        "/proc/latency_stats",
                                     "/proc/sched_debug", "/proc/scsi",
                                     "/proc/timer_list",  "/proc/timer_stats",
                                     "/proc/interrupts",  "/sys/devices/virtual/powercap",
                                     "/sys/firmware",     "/sys/fs/selinux"};
constexpr std::array readonly_paths = {"/proc/asound", "/proc/bus", "/proc/fs",
                                       "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger"};

bool is_host(const std::vector<NamespaceOption>& namespaces, std::string_view name) {
  const auto found = std::ranges::find(namespaces, name, &NamespaceOption::name);
  return found != namespaces.end() && found->host;
}

std::string path_of(const std::vector<NamespaceOption>& namespaces, std::string_view name) {
  const auto found = std::ranges::find(namespaces, name, &NamespaceOption::name);
  return found == namespaces.end() ? "" : found->path;
}

Json mount_json(const SpecMount& mount) {
  Json result = {{"destination", mount.destination}};
  if (!mount.type.empty()) result["type"] = mount.type;
  if (!mount.source.empty()) result["source"] = mount.source;
  if (!mount.options.empty()) result["options"] = mount.options;
  return result;
}

std::uint32_t letter_unit(char letter) {
  switch (letter) {
    case 'k':
    case 'K': return 1U << 10;
    case 'm':
    case 'M': return 1U << 20;
    case 'g':
    case 'G': return 1U << 30;
    default: return 1;
  }
}

// "65536k" for a tmpfs.
std::string shm_bytes(const std::string& text) {
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  if (at == 0) throw Error(Kind::invalid_input, fmt::format("\"{}\" is no size", text));
  return std::to_string(value * (at < text.size() ? letter_unit(text[at]) : 1));
}

class SpecBuilder {
 public:
  SpecBuilder(const Builder& builder, const RunOptions& options, const SpecInput& input,
              const config::ContainersConf& conf)
      : builder_(builder), options_(options), input_(input), conf_(conf) {}

  Json build() {
    Json result = {{"ociVersion", "1.0.2"}};
    result["process"] = process();
    result["root"] = Json{{"path", input_.root}, {"readonly", false}};
    if (!is_host(input_.namespaces, "uts")) result["hostname"] = input_.hostname;
    result["mounts"] = mounts();
    result["linux"] = linux_part();
    const auto groups = builder_.texts("GroupAdd");
    if (std::ranges::find(groups, "keep-groups") != groups.end())
      result["annotations"] = Json{{"run.oci.keep_original_groups", "1"}};
    return result;
  }

 private:
  bool is_chroot() const { return isolation() == Isolation::chroot; }
  Isolation isolation() const {
    return options_.isolation == Isolation::unset ? builder_.isolation() : options_.isolation;
  }

  std::vector<std::string> capabilities() const {
    auto base = builder_.texts("Capabilities");
    if (base.empty()) base = conf_.default_capabilities;
    // "All" is what there is to give.
    auto added = options_.add_capabilities;
    if (std::erase_if(added, [](const std::string& name) { return name == "all" || name == "ALL"; }) > 0) {
      const auto own = own_capabilities();
      added.insert(added.end(), own.begin(), own.end());
    }
    return merge_capabilities(base, added, options_.drop_capabilities);
  }

  Json process() const {
    const auto set = capabilities();
    // Other users begin without any.
    const Json own = input_.user.uid == 0 ? Json(set) : Json(Json::array());
    Json result = {{"terminal", options_.terminal}};
    result["user"] = Json{{"uid", input_.user.uid}, {"gid", input_.user.gid}};
    if (!input_.groups.empty()) result["user"]["additionalGids"] = input_.groups;
    result["args"] = options_.command;
    result["env"] = input_.env;
    result["cwd"] = input_.working_directory;
    result["capabilities"] = Json{{"bounding", set}, {"effective", own}, {"permitted", own}};
    result["rlimits"] = limits();
    if (builder_.common_flag("NoNewPrivileges")) result["noNewPrivileges"] = true;
    if (const auto profile = builder_.common_text("ApparmorProfile");
        !profile.empty() && profile != "unconfined")
      result["apparmorProfile"] = profile;
    if (const auto label = builder_.process_label(); !label.empty()) result["selinuxLabel"] = label;
    return result;
  }

  Json limits() const {
    std::map<std::string, Ulimit> all;
    for (const auto& [name, resource] :
         {std::pair("RLIMIT_NOFILE", RLIMIT_NOFILE), std::pair("RLIMIT_NPROC", RLIMIT_NPROC)}) {
      struct rlimit own {};
      const bool known = ::getrlimit(static_cast<__rlimit_resource>(resource), &own) == 0;
      const std::uint64_t most = known ? std::min<std::uint64_t>(own.rlim_max, usual_limit) : usual_limit;
      all[name] = {name, most, most};
    }
    for (const auto& text : builder_.common_texts("Ulimit")) {
      const Ulimit limit = parse_ulimit(text);
      all[limit.resource] = limit;
    }
    Json result = Json::array();
    for (const auto& [name, limit] : all)
      result.push_back({{"type", name}, {"hard", limit.hard}, {"soft", limit.soft}});
    return result;
  }

  Json mounts() const {
    std::vector<SpecMount> all;
    const bool own_pid = !is_host(input_.namespaces, "pid") && !is_chroot();
    const bool own_network = !input_.network_namespace.empty() || options_.no_network;
    const std::string shm =
        shm_bytes(builder_.common_text("ShmSize").empty() ? conf_.shm_size : builder_.common_text("ShmSize"));
    if (own_pid)
      all.push_back({"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}});
    else
      all.push_back({"/proc", "bind", "/proc", {"rbind", "rprivate", "nosuid", "noexec", "nodev"}});
    all.push_back({"/dev", "tmpfs", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}});
    all.push_back({"/dev/pts",
                   "devpts",
                   "devpts",
                   {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}});
    all.push_back({"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=" + shm}});
    if (is_host(input_.namespaces, "ipc") || is_chroot()) {
      if (fs::exists("/dev/mqueue"))
        all.push_back({"/dev/mqueue", "bind", "/dev/mqueue", {"bind", "nosuid", "noexec", "nodev"}});
    } else {
      all.push_back({"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}});
    }
    // sysfs belongs to a network namespace: that of the host can only be shown again.
    const bool own_sys = own_network || (!input_.rootless && input_.user_namespace.empty());
    if (own_sys)
      all.push_back({"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}});
    else
      all.push_back({"/sys", "bind", "/sys", {"rbind", "rprivate", "nosuid", "noexec", "nodev", "ro"}});
    if (!is_chroot() && own_sys)
      all.push_back({"/sys/fs/cgroup",
                     "cgroup",
                     "cgroup",
                     {"rprivate", "nosuid", "noexec", "nodev", "relatime", "ro"}});
    // What somebody mounts there himself takes the place of these.
    std::erase_if(all, [&](const SpecMount& mount) {
      return std::ranges::any_of(input_.mounts,
                                 [&](const SpecMount& own) { return own.destination == mount.destination; });
    });
    all.insert(all.end(), input_.mounts.begin(), input_.mounts.end());
    std::ranges::stable_sort(all, {}, [](const SpecMount& mount) {
      return std::ranges::count(fs::path(mount.destination).lexically_normal().string(), '/');
    });
    Json result = Json::array();
    for (const auto& mount : all) result.push_back(mount_json(mount));
    return result;
  }

  Json namespaces() const {
    Json result = Json::array();
    result.push_back({{"type", "mount"}});
    if (is_chroot()) {
      if (!is_host(input_.namespaces, "uts")) result.push_back({{"type", "uts"}});
      return result;
    }
    for (const char* name : {"pid", "ipc", "uts", "cgroup"}) {
      if (is_host(input_.namespaces, name)) continue;
      Json entry = {{"type", name}};
      if (const auto path = path_of(input_.namespaces, name); !path.empty()) entry["path"] = path;
      result.push_back(std::move(entry));
    }
    if (!input_.user_namespace.empty()) result.push_back({{"type", "user"}, {"path", input_.user_namespace}});
    if (options_.no_network)
      result.push_back({{"type", "network"}});
    else if (!input_.network_namespace.empty())
      result.push_back({{"type", "network"}, {"path", input_.network_namespace}});
    return result;
  }

  void add_device(const std::string& text, Json& devices, Json& rules) const {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(':', begin), text.size());
      parts.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    std::string inside = parts[0], access = "rwm";
    if (parts.size() > 1) (parts[1].starts_with('/') ? inside : access) = parts[1];
    if (parts.size() > 2) access = parts[2];
    if (access.empty() || access.find_first_not_of("rwm") != std::string::npos)
      throw Error(Kind::invalid_input, fmt::format("invalid device mode \"{}\" in \"{}\"", access, text));
    struct ::stat stat {};
    if (::stat(parts[0].c_str(), &stat) != 0) throw Error::from_errno(errno, "stat " + parts[0]);
    if (S_ISDIR(stat.st_mode)) {
      for (const auto& entry : fs::recursive_directory_iterator(parts[0])) {
        const auto status = entry.symlink_status().type();
        if (status != fs::file_type::character && status != fs::file_type::block) continue;
        const std::string relative = entry.path().string().substr(parts[0].size());
        add_device(entry.path().string() + ":" + inside + relative + ":" + access, devices, rules);
      }
      return;
    }
    if (!S_ISCHR(stat.st_mode) && !S_ISBLK(stat.st_mode))
      throw Error(Kind::invalid_input, fmt::format("{} is not a device node", parts[0]));
    const std::string type = S_ISBLK(stat.st_mode) ? "b" : "c";
    devices.push_back({{"path", inside},
                       {"type", type},
                       {"major", major(stat.st_rdev)},
                       {"minor", minor(stat.st_rdev)},
                       {"fileMode", stat.st_mode & 0777},
                       {"uid", stat.st_uid},
                       {"gid", stat.st_gid}});
    rules.push_back({{"allow", true},
                     {"type", type},
                     {"major", major(stat.st_rdev)},
                     {"minor", minor(stat.st_rdev)},
                     {"access", access}});
  }

  Json resources(Json rules) const {
    Json result = {{"devices", std::move(rules)}};
    Json memory = Json::object(), cpu = Json::object();
    const auto put = [this](Json& target, const char* key, const char* member) {
      if (const auto value = builder_.common_integer(member); value != 0) target[key] = value;
    };
    put(memory, "limit", "Memory");
    put(memory, "swap", "MemorySwap");
    put(cpu, "period", "CPUPeriod");
    put(cpu, "quota", "CPUQuota");
    put(cpu, "shares", "CPUShares");
    if (const auto cpus = builder_.common_text("CPUSetCPUs"); !cpus.empty()) cpu["cpus"] = cpus;
    if (const auto mems = builder_.common_text("CPUSetMems"); !mems.empty()) cpu["mems"] = mems;
    if (!memory.empty()) result["memory"] = memory;
    if (!cpu.empty()) result["cpu"] = cpu;
    return result;
  }

  Json linux_part() const {
    Json devices = Json::array();
    Json rules = Json::array({Json{{"allow", false}, {"access", "rwm"}}});
    auto specs = builder_.texts("DeviceSpecs");
    specs.insert(specs.end(), options_.devices.begin(), options_.devices.end());
    for (const auto& device : specs) add_device(device, devices, rules);
    Json result = {{"namespaces", namespaces()}, {"resources", resources(std::move(rules))}};
    if (!devices.empty()) result["devices"] = std::move(devices);
    if (const auto parent = builder_.common_text("CgroupParent"); !parent.empty())
      result["cgroupsPath"] = fmt::format("{}/lade-{}", parent, builder_.id());
    const bool own_network = !input_.network_namespace.empty() || options_.no_network;
    Json sysctl = Json::object();
    for (const auto& setting : conf_.default_sysctls) {
      const auto equals = setting.find('=');
      if (equals == std::string::npos || (setting.starts_with("net.") && !own_network)) continue;
      if (input_.rootless && setting.starts_with("net.ipv4.ping_group_range")) continue;
      sysctl[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    if (!sysctl.empty()) result["sysctl"] = std::move(sysctl);
    add_masks(result);
    const std::string profile = builder_.common_text("SeccompProfilePath");
    if (profile != "unconfined") result["seccomp"] = seccomp_filter(profile, capabilities());
    return result;
  }

  void add_masks(Json& target) const {
    const auto unmasked = builder_.common_texts("Unmasks");
    const auto is_unmasked = [&](const std::string& path) {
      return std::ranges::any_of(unmasked,
                                 [&](const auto& u) { return u == "ALL" || u == "all" || u == path; });
    };
    std::vector<std::string> masked, read_only;
    for (const char* path : masked_paths)
      if (!is_unmasked(path)) masked.emplace_back(path);
    for (const char* path : readonly_paths)
      if (!is_unmasked(path)) read_only.emplace_back(path);
    for (const auto& path : builder_.common_texts("Masks")) masked.push_back(path);
    target["maskedPaths"] = masked;
    target["readonlyPaths"] = read_only;
  }

  const Builder& builder_;
  const RunOptions& options_;
  const SpecInput& input_;
  const config::ContainersConf& conf_;
};

}  // namespace

Json runtime_spec(const Builder& builder, const RunOptions& options, const SpecInput& input,
                  const config::ContainersConf& conf) {
  return SpecBuilder(builder, options, input, conf).build();
}

}  // namespace lade::build
