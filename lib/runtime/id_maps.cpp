#include "runtime/id_maps.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>

#include <cerrno>

#include "os/child_process.hpp"
#include "os/unique_fd.hpp"

namespace lade::runtime {
namespace {

std::string map_lines(const std::vector<IdMapping>& maps) {
  std::string lines;
  for (const IdMapping& map : maps)
    lines += fmt::format("{} {} {}\n", map.container_id, map.host_id, map.size);
  return lines;
}

void write_proc_file(const std::string& path, const std::string& text) {
  const os::UniqueFd fd = os::open_file(path, O_WRONLY);
  if (::write(fd.get(), text.data(), text.size()) < 0) throw Error::from_errno(errno, "writing " + path);
}

void run_map_program(const Context& context, const char* name, pid_t pid,
                     const std::vector<IdMapping>& maps) {
  os::ChildOptions options;
  options.arguments = {name, std::to_string(pid)};
  options.environment = std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"};
  for (const IdMapping& map : maps) {
    for (const std::uint32_t number : {map.container_id, map.host_id, map.size})
      options.arguments.push_back(std::to_string(number));
  }
  const os::ChildResult result = os::run_child(context, options);
  if (result.status != 0) {
    std::string text = result.err.substr(0, result.err.find('\n'));
    throw Error(Kind::denied, fmt::format("{}: {}", name, text));
  }
}

bool may_map_any(const Host& host) {
  return host.can(CAP_SETUID) && host.can(CAP_SETGID);
}

bool maps_only_itself(const Host& host, const std::vector<IdMapping>& uids,
                      const std::vector<IdMapping>& gids) {
  const auto one = [](const std::vector<IdMapping>& maps, std::uint32_t id) {
    return maps.size() == 1 && maps[0].size == 1 && maps[0].host_id == id;
  };
  return one(uids, host.uid) && one(gids, host.gid);
}

}  // namespace

void write_id_maps_of_root(pid_t pid, const std::vector<IdMapping>& uids,
                           const std::vector<IdMapping>& gids) {
  write_proc_file(fmt::format("/proc/{}/gid_map", pid), map_lines(gids));
  write_proc_file(fmt::format("/proc/{}/uid_map", pid), map_lines(uids));
}

void write_id_maps(const Context& context, const Host& host, pid_t pid, const std::vector<IdMapping>& uids,
                   const std::vector<IdMapping>& gids) {
  if (may_map_any(host)) return write_id_maps_of_root(pid, uids, gids);
  if (maps_only_itself(host, uids, gids)) {
    write_proc_file(fmt::format("/proc/{}/setgroups", pid), "deny");
    return write_id_maps_of_root(pid, uids, gids);
  }
  run_map_program(context, "newuidmap", pid, uids);
  run_map_program(context, "newgidmap", pid, gids);
}

bool maps_allow_setgroups(const Host& host, const Plan& plan) {
  if (!host.setgroups_allowed) return false;
  return may_map_any(host) || !maps_only_itself(host, plan.uid_mappings, plan.gid_mappings);
}

}  // namespace lade::runtime
