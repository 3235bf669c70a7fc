#include "os/user_namespace.hpp"

#include <linux/capability.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <vector>

#include "os/child_process.hpp"
#include "os/file.hpp"
#include "os/subordinate_ids.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_subid_file = 16 << 20;
// PROC_USER_INIT_INO of the kernel's linux/proc_ns.h: the first namespace has a number that never changes.
constexpr ino_t initial_namespace = 0xEFFFFFFD;

void require_single_thread() {
  if (!is_single_threaded())
    throw Error(Kind::system, "a user namespace can be entered only before the first thread is started");
}

std::string_view advice_for(int code) {
  if (code == ENOSPC || code == EUSERS) return "; see /proc/sys/user/max_user_namespaces";
  if (code == EPERM || code == EACCES)
    return "; user namespaces are switched off for users on this machine "
           "(kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or a container "
           "or a chroot forbids them";
  return "";
}

[[noreturn]] void refuse(int code, const char* what) {
  throw Error(Kind::unsupported, Error::from_errno(code, what).what() + std::string(advice_for(code)));
}

// A child in a user namespace of its own, without maps as yet. It lives until this object ends, and ends with
// this process, whatever happens to that.
class NamespaceHolder {
 public:
  NamespaceHolder() {
    std::array<int, 2> ready{}, release{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
    UniqueFd ready_read(ready[0]), ready_write(ready[1]);
    if (::pipe2(release.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
    const UniqueFd release_read(release[0]);
    release_.reset(release[1]);
    pid_ = ::fork();
    if (pid_ < 0) throw Error::from_errno(errno, "fork");
    if (pid_ == 0) hold(ready[1], release[0], release[1]);
    ready_write.reset();
    int code = EPIPE;  // what it stays should the child be killed
    while (::read(ready_read.get(), &code, sizeof code) < 0 && errno == EINTR) continue;
    if (code == 0) return;
    reap();
    refuse(code, "unshare(CLONE_NEWUSER)");
  }
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;
  ~NamespaceHolder() { reap(); }

  std::string file(const char* name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }
  pid_t pid() const { return pid_; }

 private:
  [[noreturn]] static void hold(int ready, int release, int other_end) noexcept {
    ::close(other_end);
    const int code = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
    char nothing = 0;
    if (::write(ready, &code, sizeof code) == sizeof code)
      while (::read(release, &nothing, 1) < 0 && errno == EINTR) continue;
    ::_exit(0);
  }

  void reap() noexcept {
    release_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  UniqueFd release_;
  pid_t pid_ = 0;
};

// A map is written by one write(2), or not at all.
void write_map(const std::string& path, std::string_view text) {
  const UniqueFd file = open_file(path, O_WRONLY);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    refuse(errno, ("write " + path).c_str());
}

void join(const NamespaceHolder& holder) {
  const UniqueFd user = open_file(holder.file("ns/user"), O_RDONLY);
  if (::setns(user.get(), CLONE_NEWUSER) != 0) refuse(errno, "setns(CLONE_NEWUSER)");
  if (::unshare(CLONE_NEWNS) != 0) refuse(errno, "unshare(CLONE_NEWNS)");
}

std::string absolute_parts(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    if (path.starts_with('/')) result.append(result.empty() ? "" : ":").append(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return result;
}

// The helpers run with the users' own rights raised: nothing of the environment is for them.
ChildResult run_helper(const Context& context, std::vector<std::string> arguments) {
  ChildOptions options{.arguments = std::move(arguments)};
  options.environment.emplace();
  return run_child(context, options);
}

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : "";
}

// One of the two maps: what differs between users and groups.
struct MapKind {
  const char *map, *helper, *getsubids_option;
  fs::path ranges_file;
  std::uint32_t own;
};

class MapWriter {
 public:
  MapWriter(const Context& context, const NamespaceOptions& options, const NamespaceHolder& holder)
      : context_(context),
        options_(options),
        holder_(holder),
        programs_(absolute_parts(options.program_path)),
        uid_(::geteuid()),
        user_(user_name(uid_)) {}

  void write(const MapKind& kind) {
    const auto ranges = ranges_of(kind);
    if (ranges.empty()) {
      explain("no ranges of IDs for user " + (user_.empty() ? std::to_string(uid_) : "\"" + user_ + "\"") +
              " in " + kind.ranges_file.string());
    } else if (run_map_helper(kind, ranges)) {
      return;
    }
    // The kernel's condition for users that map a group by themselves.
    if (std::string_view(kind.map) == "gid_map") write_map(holder_.file("setgroups"), "deny");
    write_map(holder_.file(kind.map), "0 " + std::to_string(kind.own) + " 1\n");
  }

  void warn() const {
    if (!reason_.empty())
      context_.log.warning(
          "Using rootless single mapping into the namespace. This might break some images: " + reason_);
  }

 private:
  // The first reason is enough.
  void explain(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  std::vector<IdRange> ranges_of(const MapKind& kind) {
    const auto text = find_file(kind.ranges_file, max_subid_file).value_or("");
    auto result = parse_subordinate_ids(text, user_, uid_, kind.ranges_file.string());
    if (!result.empty() || user_.empty()) return result;
    if (!has_subid_service(find_file(options_.nsswitch, 1 << 20).value_or(""))) return result;
    const auto program = find_program("getsubids", programs_);
    if (!program) return result;
    std::vector<std::string> arguments{*program};
    if (*kind.getsubids_option != '\0') arguments.emplace_back(kind.getsubids_option);
    arguments.push_back(user_);
    const auto answer = run_helper(context_, std::move(arguments));
    return answer.status == 0 ? parse_getsubids(answer.out) : result;
  }

  bool run_map_helper(const MapKind& kind, const std::vector<IdRange>& ranges) {
    const auto program = find_program(kind.helper, programs_);
    if (!program) {
      explain(std::string(kind.helper) + " is not installed");
      return false;
    }
    std::vector<std::string> arguments{*program, std::to_string(holder_.pid())};
    for (const IdMapping& line : map_own_and_ranges(kind.own, ranges))
      for (const auto number : {line.inside, line.outside, line.count})
        arguments.push_back(std::to_string(number));
    const auto result = run_helper(context_, std::move(arguments));
    if (result.status == 0) return true;
    std::string text = result.err.substr(0, result.err.find('\n'));
    if (text.empty()) text = *program + ": exit status " + std::to_string(result.status);
    explain(std::move(text));
    return false;
  }

  const Context& context_;
  const NamespaceOptions& options_;
  const NamespaceHolder& holder_;
  std::string programs_;
  uid_t uid_;
  std::string user_, reason_;
};

// Each ID as itself, as far as there are any here.
std::string identical_map(const char* path) {
  std::istringstream own(read_file(path, 1 << 16));
  std::string result;
  for (std::uint32_t inside = 0, outside = 0, count = 0; own >> inside >> outside >> count;)
    result += std::to_string(inside) + " " + std::to_string(inside) + " " + std::to_string(count) + "\n";
  return result;
}

bool is_same_file(const UniqueFd& a, const UniqueFd& b) {
  const auto first = stat_of(a), second = stat_of(b);
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

bool has_cap_sys_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

bool in_initial_user_namespace() {
  struct ::stat status {};
  return ::stat("/proc/self/ns/user", &status) == 0 && status.st_ino == initial_namespace;
}

bool is_single_threaded() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : fs::directory_iterator("/proc/self/task")) ++count;
  return count == 1;
}

void enter_user_namespace(const Context& context, const NamespaceOptions& options) {
  require_single_thread();
  const MapKind users{"uid_map", "newuidmap", "", options.subuid, ::geteuid()};
  const MapKind groups{"gid_map", "newgidmap", "-g", options.subgid, ::getegid()};
  const NamespaceHolder holder;
  MapWriter writer(context, options, holder);
  writer.write(users);
  writer.write(groups);
  writer.warn();
  join(holder);
}

bool enter_identical_namespace(const Context& context) {
  require_single_thread();
  try {
    const NamespaceHolder holder;
    write_map(holder.file("gid_map"), identical_map("/proc/self/gid_map"));
    write_map(holder.file("uid_map"), identical_map("/proc/self/uid_map"));
    join(holder);
    return true;
  } catch (const Error& error) {
    context.log.debug(std::string("no user namespace: ") + error.what());
    return false;
  }
}

bool join_user_namespace(pid_t process) {
  require_single_thread();
  const std::string folder = "/proc/" + std::to_string(process) + "/ns/";
  const UniqueFd user(::open((folder + "user").c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd mounts(::open((folder + "mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (!user.is_open() || !mounts.is_open()) return false;
  uid_t owner = 0;
  if (::ioctl(user.get(), NS_GET_OWNER_UID, &owner) != 0 || owner != ::geteuid()) return false;
  if (is_same_file(user, open_file("/proc/self/ns/user", O_RDONLY))) return false;
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  if (failed || ::setns(user.get(), CLONE_NEWUSER) != 0) return false;
  if (::setns(mounts.get(), CLONE_NEWNS) != 0) refuse(errno, "setns(CLONE_NEWNS)");
  if (::chdir(here.c_str()) != 0) throw Error::from_errno(errno, "chdir " + here.string());
  return true;
}

}  // namespace lade::os
