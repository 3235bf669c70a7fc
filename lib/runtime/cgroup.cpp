#include "runtime/cgroup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "os/file.hpp"
#include "runtime/resources.hpp"

namespace lade::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t cgroup_file_limit = 16 * 1024 * 1024;

// 0 or an errno.
int write_cgroup_file(const std::string& path, const std::string& text) {
  const os::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.is_open()) return errno;
  return ::write(fd.get(), text.data(), text.size()) < 0 ? errno : 0;
}

std::string read_words(const std::string& path) {
  auto text = os::find_file(path, cgroup_file_limit).value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// A new group of cpuset (v1) has no processors at all.
void inherit_cpuset(const std::string& parent, const std::string& directory) {
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    if (read_words(directory + file).empty()) write_cgroup_file(directory + file, read_words(parent + file));
  }
}

bool make_cgroup_directories(const CgroupDirectory& cgroup) {
  const bool is_cpuset =
      std::find(cgroup.controllers.begin(), cgroup.controllers.end(), "cpuset") != cgroup.controllers.end();
  std::string made = cgroup.mount_point;
  for (std::size_t at = 1; at < cgroup.path.size();) {
    const std::size_t end = std::min(cgroup.path.find('/', at), cgroup.path.size());
    const std::string parent = made;
    made.append("/").append(cgroup.path, at, end - at);
    at = end + 1;
    if (::mkdir(made.c_str(), 0755) < 0 && errno != EEXIST) return false;
    if (is_cpuset) inherit_cpuset(parent, made);
  }
  return true;
}

// In each group above it, so that the container's own has the files of every controller that can be had.
void enable_controllers(const CgroupDirectory& cgroup) {
  std::string directory = cgroup.mount_point;
  for (std::size_t at = 1; at < cgroup.path.size();) {
    const std::string available = read_words(directory + "/cgroup.controllers");
    const auto enabled = words_of(read_words(directory + "/cgroup.subtree_control"));
    for (const std::string& controller : words_of(available)) {
      // Those that cannot be enabled are missed where a limit needs them.
      if (std::find(enabled.begin(), enabled.end(), controller) == enabled.end())
        write_cgroup_file(directory + "/cgroup.subtree_control", "+" + controller);
    }
    const std::size_t end = std::min(cgroup.path.find('/', at), cgroup.path.size());
    directory.append("/").append(cgroup.path, at, end - at);
    at = end + 1;
  }
}

std::vector<std::string> subdirectories(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_directory(error)) found.push_back(entry->path().string());
  }
  return found;
}

void read_processes(const std::string& directory, std::vector<pid_t>& pids) {
  for (const std::string& word : words_of(read_words(directory + "/cgroup.procs"))) {
    pid_t pid = 0;
    std::from_chars(word.data(), word.data() + word.size(), pid);
    if (pid > 0) pids.push_back(pid);
  }
  for (const std::string& below : subdirectories(directory)) read_processes(below, pids);
}

void remove_cgroup(const std::string& directory) {
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return;
  for (const std::string& below : subdirectories(directory)) remove_cgroup(below);
  if (::rmdir(directory.c_str()) < 0 && errno != ENOENT)
    throw Error::from_errno(errno, "removing the cgroup " + directory);
}

void kill_and_wait(pid_t pid) {
  const os::UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle.is_open()) return;
  ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
  pollfd watched{handle.get(), POLLIN, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
}

std::string legacy_rule(const DeviceRule& rule) {
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value && *value >= 0 ? std::to_string(*value) : std::string("*");
  };
  return fmt::format("{} {}:{} {}", rule.type.empty() ? "a" : rule.type, number(rule.major),
                     number(rule.minor), rule.access);
}

int attach_device_program(const std::string& directory, const std::vector<std::uint64_t>& program) {
  static constexpr char license[] = "GPL";
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<std::uintptr_t>(program.data());
  load.insn_cnt = static_cast<std::uint32_t>(program.size());
  load.license = reinterpret_cast<std::uintptr_t>(license);
  const os::UniqueFd loaded(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load)));
  if (!loaded.is_open()) return errno;
  const os::UniqueFd group = os::open_file(directory, O_RDONLY | O_DIRECTORY);
  bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(group.get());
  attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  return ::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0 ? errno : 0;
}

}  // namespace

void choose_cgroups(Host& host, const std::string& cgroups_path, const std::string& id, bool rootless) {
  if (("/" + cgroups_path + "/").find("/../") != std::string::npos)
    throw Error(Kind::invalid_input, "linux.cgroupsPath: has .. in it");
  for (CgroupHierarchy& hierarchy : host.cgroups) {
    const std::string own = hierarchy.own_path == "/" ? "" : hierarchy.own_path;
    std::string path;
    if (cgroups_path.starts_with("/")) {
      path = cgroups_path;
    } else if (!cgroups_path.empty()) {
      path = own + "/" + cgroups_path;
    } else {
      path = (rootless ? own : "") + "/lade-" + id;
    }
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    hierarchy.container_path = path == "/" ? "" : path;
  }
}

Cgroup Cgroup::planned(const Host& host) {
  std::vector<CgroupDirectory> directories;
  for (const CgroupHierarchy& hierarchy : host.cgroups) {
    if (!hierarchy.container_path.empty())
      directories.push_back({hierarchy.controllers, hierarchy.mount_point, hierarchy.container_path});
  }
  return Cgroup(std::move(directories));
}

Cgroup Cgroup::create(const Host& host) {
  Cgroup cgroup = planned(host);
  std::erase_if(cgroup.directories_,
                [](const CgroupDirectory& one) { return !make_cgroup_directories(one); });
  return cgroup;
}

const CgroupDirectory* Cgroup::find(const std::string& controller) const {
  const CgroupDirectory* unified = nullptr;
  for (const CgroupDirectory& cgroup : directories_) {
    const auto& all = cgroup.controllers;
    if (std::find(all.begin(), all.end(), controller) != all.end()) return &cgroup;
    if (cgroup.is_unified()) unified = &cgroup;
  }
  return unified;
}

namespace {
std::string directory_below(const CgroupDirectory& cgroup, const std::string& below) {
  if (below.empty()) return cgroup.directory();
  std::string directory = cgroup.directory() + "/" + below;
  ::mkdir(directory.c_str(), 0755);
  return directory;
}
}  // namespace

os::UniqueFd Cgroup::open_unified(const std::string& below) const {
  const auto unified = std::find_if(directories_.begin(), directories_.end(),
                                    [](const CgroupDirectory& cgroup) { return cgroup.is_unified(); });
  if (unified == directories_.end()) return {};
  return os::UniqueFd(::open(directory_below(*unified, below).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

void Cgroup::add(pid_t pid, const AddOptions& options) const {
  for (const CgroupDirectory& cgroup : directories_) {
    if (cgroup.is_unified() && options.began_in_unified) continue;
    const std::string directory = directory_below(cgroup, options.below);
    int error = write_cgroup_file(directory + "/cgroup.procs", std::to_string(pid));
    // A group with groups below it may not have processes itself (v2): systemd in the container is in one of
    // them.
    if (error == EBUSY && cgroup.is_unified() && options.below.empty())
      error = write_cgroup_file(directory + "/init.scope/cgroup.procs", std::to_string(pid));
    if (error != 0) throw Error::from_errno(error, "moving a process to the cgroup " + directory);
  }
}

void Cgroup::apply(const Context& context, const Resources& resources, bool lenient) const {
  // v1 as long as a controller is there: the unified hierarchy of a hybrid host has none.
  const bool is_v1 = std::any_of(directories_.begin(), directories_.end(), [](const CgroupDirectory& cgroup) {
    return !cgroup.is_unified() && !cgroup.controllers.front().starts_with("name=");
  });
  const auto writes = is_v1 ? plan_cgroup_v1(resources) : plan_cgroup_v2(resources);
  const auto complain = [&](const CgroupWrite& write, const std::string& reason) {
    const std::string text =
        fmt::format("linux.resources: setting {} to {}: {}", write.file, write.value, reason);
    if (!lenient) throw Error(Kind::unsupported, text);
    context.log.warning(text);
  };
  if (!writes.empty() && !is_v1 && !directories_.empty()) enable_controllers(directories_.front());
  for (const CgroupWrite& write : writes) {
    const CgroupDirectory* cgroup = find(write.controller);
    const bool there = cgroup != nullptr && (!is_v1 || !cgroup->is_unified());
    if (!there) {
      complain(write, fmt::format("there is no cgroup controller {} here", write.controller));
      continue;
    }
    const std::string path = cgroup->directory() + "/" + write.file;
    int error = write_cgroup_file(path, write.value);
    const bool unlimited_swap = write.file == "memory.swap.max" && write.value == "max";
    if (error == ENOENT && unlimited_swap) continue;  // without swap there is nothing to limit
    // The limit with swap has to be above that of memory at all times: raised first, then.
    if (error != 0 && write.file == "memory.limit_in_bytes" && resources.memory.swap &&
        write_cgroup_file(cgroup->directory() + "/memory.memsw.limit_in_bytes",
                          std::to_string(*resources.memory.swap)) == 0)
      error = write_cgroup_file(path, write.value);
    if (error == ENOENT) {
      complain(write, fmt::format("the controller {} is not available in {}", write.controller,
                                  cgroup->directory()));
    } else if (error != 0) {
      complain(write, Error::from_errno(error, "write").what());
    }
  }
  if (!resources.devices.empty()) apply_devices(context, resources.devices, lenient);
}

void Cgroup::apply_devices(const Context& context, const std::vector<DeviceRule>& rules, bool lenient) const {
  const auto complete = complete_device_rules(rules);
  const CgroupDirectory* cgroup = find("devices");
  int error = cgroup == nullptr ? ENOENT : 0;
  if (cgroup != nullptr && cgroup->is_unified()) {
    error = attach_device_program(cgroup->directory(), device_program(complete));
  } else if (cgroup != nullptr) {
    for (const DeviceRule& rule : complete) {
      const char* file = rule.allow ? "/devices.allow" : "/devices.deny";
      if (error == 0) error = write_cgroup_file(cgroup->directory() + file, legacy_rule(rule));
    }
  }
  if (error == 0) return;
  const std::string text = error == ENOENT ? "linux.resources.devices: there is no cgroup for it here"
                                           : Error::from_errno(error, "linux.resources.devices").what();
  if (!lenient) throw Error(Kind::unsupported, text);
  context.log.debug(text);
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> pids;
  // Every hierarchy has the same ones.
  const CgroupDirectory* cgroup = find("pids");
  if (cgroup == nullptr && !directories_.empty()) cgroup = &directories_.front();
  if (cgroup != nullptr) read_processes(cgroup->directory(), pids);
  std::sort(pids.begin(), pids.end());
  return pids;
}

bool Cgroup::can_freeze() const {
  return find("freezer") != nullptr;
}

void Cgroup::freeze(bool frozen) const {
  const CgroupDirectory* cgroup = find("freezer");
  if (cgroup == nullptr) throw Error(Kind::unsupported, "pausing needs a cgroup");
  const bool unified = cgroup->is_unified();
  const std::string path = cgroup->directory() + (unified ? "/cgroup.freeze" : "/freezer.state");
  const std::string value = unified ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
  if (const int error = write_cgroup_file(path, value); error != 0)
    throw Error::from_errno(error, "writing " + path);
}

bool Cgroup::is_frozen() const {
  const CgroupDirectory* cgroup = find("freezer");
  if (cgroup == nullptr) return false;
  if (cgroup->is_unified()) return read_words(cgroup->directory() + "/cgroup.freeze") == "1";
  return read_words(cgroup->directory() + "/freezer.state").starts_with("FR");
}

void Cgroup::kill_all() const {
  for (const CgroupDirectory& cgroup : directories_) {
    if (cgroup.is_unified()) write_cgroup_file(cgroup.directory() + "/cgroup.kill", "1");
  }
  if (can_freeze() && is_frozen()) freeze(false);
  // Each round ends what the round before saw; what is born meanwhile is seen by the next.
  for (auto pids = processes(); !pids.empty(); pids = processes()) {
    for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids) kill_and_wait(pid);
  }
}

void Cgroup::remove() const {
  for (const CgroupDirectory& cgroup : directories_) remove_cgroup(cgroup.directory());
}

}  // namespace lade::runtime
