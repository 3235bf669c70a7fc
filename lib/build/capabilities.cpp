#include "build/capabilities.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"

namespace lade::build {

namespace {

bool is_all(std::string_view name) {
  return name == "all" || name == "ALL";
}

std::set<std::string> named_set(const std::vector<std::string>& names) {
  std::set<std::string> result;
  for (const auto& name : names) {
    if (is_all(name))
      result.insert(all_capabilities().begin(), all_capabilities().end());
    else
      result.insert(capability_named(name));
  }
  return result;
}

bool has_all(const std::vector<std::string>& names) {
  return std::ranges::any_of(names, is_all);
}

}  // namespace

const std::vector<std::string>& all_capabilities() {
  // linux/capability.h
  static const std::vector<std::string> names = {"CAP_CHOWN",
                                                 "CAP_DAC_OVERRIDE",
                                                 "CAP_DAC_READ_SEARCH",
                                                 "CAP_FOWNER",
                                                 "CAP_FSETID",
                                                 "CAP_KILL",
                                                 "CAP_SETGID",
                                                 "CAP_SETUID",
                                                 "CAP_SETPCAP",
                                                 "CAP_LINUX_IMMUTABLE",
                                                 "CAP_NET_BIND_SERVICE",
                                                 "CAP_NET_BROADCAST",
                                                 "CAP_NET_ADMIN",
                                                 "CAP_NET_RAW",
                                                 "CAP_IPC_LOCK",
                                                 "CAP_IPC_OWNER",
                                                 "CAP_SYS_MODULE",
                                                 "CAP_SYS_RAWIO",
                                                 "CAP_SYS_CHROOT",
                                                 "CAP_SYS_PTRACE",
                                                 "CAP_SYS_PACCT",
                                                 "CAP_SYS_ADMIN",
                                                 "CAP_SYS_BOOT",
                                                 "CAP_SYS_NICE",
                                                 "CAP_SYS_RESOURCE",
                                                 "CAP_SYS_TIME",
                                                 "CAP_SYS_TTY_CONFIG",
                                                 "CAP_MKNOD",
                                                 "CAP_LEASE",
                                                 "CAP_AUDIT_WRITE",
                                                 "CAP_AUDIT_CONTROL",
                                                 "CAP_SETFCAP",
                                                 "CAP_MAC_OVERRIDE",
                                                 "CAP_MAC_ADMIN",
                                                 "CAP_SYSLOG",
                                                 "CAP_WAKE_ALARM",
                                                 "CAP_BLOCK_SUSPEND",
                                                 "CAP_AUDIT_READ",
                                                 "CAP_PERFMON",
                                                 "CAP_BPF",
                                                 "CAP_CHECKPOINT_RESTORE"};
  return names;
}

std::vector<std::string> own_capabilities() {
  std::vector<std::string> result;
  const auto& names = all_capabilities();
  for (std::size_t number = 0; number < names.size(); ++number)
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) result.push_back(names[number]);
  return result;
}

std::string capability_named(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  if (!upper.starts_with("CAP_")) upper.insert(0, "CAP_");
  const auto& known = all_capabilities();
  if (std::ranges::find(known, upper) == known.end())
    throw Error(Kind::invalid_input, fmt::format("\"{}\": unknown capability", upper));
  return upper;
}

std::vector<std::string> merge_capabilities(const std::vector<std::string>& base,
                                            const std::vector<std::string>& added,
                                            const std::vector<std::string>& dropped) {
  const auto more = named_set(added), less = named_set(dropped);
  // "all" says where to begin, names are exceptions from it.
  std::set<std::string> result = has_all(dropped) ? std::set<std::string>() : named_set(base);
  if (!has_all(added) && !has_all(dropped))
    for (const auto& name : more)
      if (less.contains(name))
        throw Error(Kind::invalid_input, fmt::format("capability \"{}\" cannot be dropped and added", name));
  result.insert(more.begin(), more.end());
  if (!has_all(dropped))
    for (const auto& name : less) result.erase(name);
  return {result.begin(), result.end()};
}

}  // namespace lade::build
