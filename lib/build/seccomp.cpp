#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "build/run_spec.hpp"
#include "os/file.hpp"
#include "spec/platform.hpp"

namespace lade::build {

using spec::Json;

namespace {

constexpr std::uint64_t max_profile = 4 * 1024 * 1024;
constexpr int operation_not_permitted = 1, function_not_implemented = 38;

bool contains_text(const Json* list, const std::string& text) {
  return list != nullptr && list->is_array() && std::ranges::find(*list, Json(text)) != list->end();
}

// Whether this machine and process are among those that a rule is for.
class RuleFilter {
 public:
  explicit RuleFilter(const std::vector<std::string>& capabilities)
      : capabilities_(capabilities), architecture_(spec::host_architecture()) {
    struct ::utsname name {};
    if (::uname(&name) == 0) kernel_ = version_of(name.release);
  }

  bool applies(const Json& rule) const {
    const Json* includes = spec::find_member(rule, "includes");
    const Json* excludes = spec::find_member(rule, "excludes");
    if (includes != nullptr && includes->is_object() && !fits(*includes)) return false;
    return excludes == nullptr || !excludes->is_object() || !hits(*excludes);
  }

 private:
  static std::pair<int, int> version_of(const std::string& text) {
    int major = 0, minor = 0;
    if (std::sscanf(text.c_str(), "%d.%d", &major, &minor) < 1) return {0, 0};
    return {major, minor};
  }

  bool has(const Json& capability) const {
    return capability.is_string() &&
           std::ranges::find(capabilities_, capability.get<std::string>()) != capabilities_.end();
  }

  // All of it.
  bool fits(const Json& conditions) const {
    if (const Json* arches = spec::find_member(conditions, "arches");
        arches != nullptr && arches->is_array() && !arches->empty() && !contains_text(arches, architecture_))
      return false;
    if (const Json* caps = spec::find_member(conditions, "caps"); caps != nullptr && caps->is_array())
      if (!std::ranges::all_of(*caps, [this](const Json& c) { return has(c); })) return false;
    const Json* kernel = spec::find_member(conditions, "minKernel");
    return kernel == nullptr || !kernel->is_string() || version_of(kernel->get<std::string>()) <= kernel_;
  }

  // Any of it.
  bool hits(const Json& conditions) const {
    if (contains_text(spec::find_member(conditions, "arches"), architecture_)) return true;
    const Json* caps = spec::find_member(conditions, "caps");
    if (caps != nullptr && caps->is_array() &&
        std::ranges::any_of(*caps, [this](const Json& c) { return has(c); }))
      return true;
    const Json* kernel = spec::find_member(conditions, "minKernel");
    return kernel != nullptr && kernel->is_string() && version_of(kernel->get<std::string>()) <= kernel_;
  }

  const std::vector<std::string>& capabilities_;
  std::string architecture_;
  std::pair<int, int> kernel_{0, 0};
};

Json architectures_of(const Json& profile) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> names = {
      {{"amd64", "SCMP_ARCH_X86_64"},
       {"arm64", "SCMP_ARCH_AARCH64"},
       {"386", "SCMP_ARCH_X86"},
       {"arm", "SCMP_ARCH_ARM"},
       {"ppc64le", "SCMP_ARCH_PPC64LE"},
       {"s390x", "SCMP_ARCH_S390X"}}};
  const std::string host = spec::host_architecture();
  const auto own = std::ranges::find_if(names, [&](const auto& name) { return name.first == host; });
  Json result = Json::array();
  const Json* map = spec::find_member(profile, "archMap");
  if (map == nullptr) map = spec::find_member(profile, "architectures");
  if (map == nullptr || !map->is_array()) return result;
  for (const Json& entry : *map) {
    if (entry.is_string()) {
      result.push_back(entry);
    } else if (own != names.end() && entry.is_object() && entry.value("architecture", "") == own->second) {
      result.push_back(own->second);
      if (const Json* more = spec::find_member(entry, "subArchitectures");
          more != nullptr && more->is_array())
        for (const Json& name : *more) result.push_back(name);
    }
  }
  return result;
}

Json rule_of(const Json& source) {
  Json rule = {{"names", source.value("names", Json::array())}, {"action", source.value("action", "")}};
  if (rule["names"].empty() && source.contains("name")) rule["names"] = Json::array({source["name"]});
  const Json* error = spec::find_member(source, "errnoRet");
  if (error != nullptr && rule["action"] == "SCMP_ACT_ERRNO") rule["errnoRet"] = *error;
  if (const Json* arguments = spec::find_member(source, "args"); arguments != nullptr && !arguments->empty())
    rule["args"] = *arguments;
  return rule;
}

// Without a profile: what a container has no business with, unless it has the capability for it.
Json built_in_filter(const std::vector<std::string>& capabilities) {
  struct Group {
    std::string_view capability;
    std::vector<std::string_view> names;
  };
  static const std::vector<Group> groups = {
      {"CAP_SYS_MODULE", {"init_module", "finit_module", "delete_module", "create_module", "query_module"}},
      {"CAP_SYS_BOOT", {"kexec_load", "kexec_file_load", "reboot"}},
      {"CAP_SYS_ADMIN",
       {"mount",         "umount",     "umount2",     "pivot_root",   "setns",       "unshare",
        "open_tree",     "move_mount", "fsopen",      "fsconfig",     "fsmount",     "fspick",
        "mount_setattr", "swapon",     "swapoff",     "quotactl",     "quotactl_fd", "lookup_dcookie",
        "fanotify_init", "nfsservctl", "sethostname", "setdomainname"}},
      {"CAP_SYS_TIME",
       {"settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "adjtimex"}},
      {"CAP_SYS_RAWIO", {"iopl", "ioperm"}},
      {"CAP_SYS_PACCT", {"acct"}},
      {"CAP_SYSLOG", {"syslog"}},
      {"CAP_BPF", {"bpf"}},
      {"CAP_PERFMON", {"perf_event_open"}},
      {"CAP_SYS_TTY_CONFIG", {"vhangup"}},
      {"CAP_DAC_READ_SEARCH", {"open_by_handle_at"}},
      {"",
       {"add_key", "keyctl", "request_key", "userfaultfd", "uselib", "ustat", "sysfs", "vm86", "vm86old",
        "_sysctl", "get_kernel_syms", "move_pages"}}};
  Json names = Json::array();
  for (const Group& group : groups) {
    const bool allowed =
        !group.capability.empty() && std::ranges::find(capabilities, group.capability) != capabilities.end();
    if (!allowed)
      for (const auto name : group.names) names.push_back(name);
  }
  Json rules = Json::array(
      {Json{{"names", names}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", operation_not_permitted}}});
  return {{"defaultAction", "SCMP_ACT_ALLOW"}, {"syscalls", rules}};
}

}  // namespace

Json seccomp_filter(const std::string& profile, const std::vector<std::string>& capabilities) {
  std::optional<std::string> text;
  std::string path = profile;
  if (!profile.empty()) {
    text = os::read_file(profile, max_profile);
  } else {
    for (const char* usual : {"/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"}) {
      if (!text) {
        text = os::find_file(usual, max_profile);
        path = usual;
      }
    }
  }
  if (!text) return built_in_filter(capabilities);
  const Json document = spec::parse_json(*text, path);
  const std::string action = spec::string_member(document, "defaultAction", path);
  if (action.empty()) throw Error(Kind::invalid_input, path + ": there is no defaultAction");
  Json result = {{"defaultAction", action}};
  if (action == "SCMP_ACT_ERRNO") {
    const Json* error = spec::find_member(document, "defaultErrnoRet");
    result["defaultErrnoRet"] = error == nullptr ? Json(function_not_implemented) : *error;
  }
  if (Json architectures = architectures_of(document); !architectures.empty())
    result["architectures"] = std::move(architectures);
  const RuleFilter filter(capabilities);
  Json rules = Json::array();
  for (const Json& rule : spec::array_member(document, "syscalls", path))
    if (rule.is_object() && filter.applies(rule)) rules.push_back(rule_of(rule));
  result["syscalls"] = std::move(rules);
  return result;
}

}  // namespace lade::build
