// What is done to make a container, as data: decided from the configuration and the host alone, before
// anything is touched. The steps are performed in their order by the container's first process (child.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/host.hpp"
#include "runtime/runtime.hpp"
#include "runtime/spec.hpp"
#include "runtime/tail.hpp"

namespace lade::runtime {

namespace step {

// setns(2) with the descriptor of that number in Plan::joins.
struct JoinNamespace {
  std::size_t join = 0;
  bool operator==(const JoinNamespace&) const = default;
};
struct NewSession {  // setsid(2)
  bool operator==(const NewSession&) const = default;
};
struct NewKeyring {
  std::string name{};
  bool operator==(const NewKeyring&) const = default;
};
struct UnshareCgroup {
  bool operator==(const UnshareCgroup&) const = default;
};
struct SetHostname {
  std::string name{};
  bool operator==(const SetHostname&) const = default;
};
struct SetDomainname {
  std::string name{};
  bool operator==(const SetDomainname&) const = default;
};
struct LoopbackUp {
  bool operator==(const LoopbackUp&) const = default;
};
struct WriteSysctl {
  std::string path{};  // below /proc/sys: "net/ipv4/ip_forward"
  std::string value{};
  bool operator==(const WriteSysctl&) const = default;
};
// mount(2) of propagation flags on "/".
struct SetPropagation {
  unsigned long flags = 0;
  bool operator==(const SetPropagation&) const = default;
};
// Mounted on itself; the directory that all further paths are of.
struct OpenRoot {
  std::string path{};
  std::optional<std::size_t> source_fd{};  // of Plan::sources: mounted over "/" instead, wherever the path is
  std::string parent_mount{};  // made private first, so that the mount does not spread; "" for none
  bool operator==(const OpenRoot&) const = default;
};

// mount(2) of a file system, or a bind mount.
struct MountAt {
  std::string source{}, type{}, target{};
  unsigned long flags = 0;  // MS_*
  std::string data{};
  std::uint64_t attributes = 0, clear = 0;                      // MOUNT_ATTR_* of a bind mount
  std::uint64_t recursive_attributes = 0, recursive_clear = 0;  // MOUNT_ATTR_* of all mounts below it too
  std::vector<unsigned long> propagation{};                     // MS_*, one after the other
  bool copy_up = false;                                         // what is below it is copied into it
  bool keep_mode = false;                  // it gets the mode of the directory that it covers
  std::optional<std::size_t> source_fd{};  // of Plan::sources: the mount that is to be attached
  std::string fallback{};     // bound instead where this process may not mount such a file system
  bool exactly_here = false;  // no symbolic link may lead elsewhere
  bool is_bind() const;
  bool operator==(const MountAt&) const = default;
};
// No error if something of that name is there.
struct MakeLink {
  std::string path{}, target{};
  bool operator==(const MakeLink&) const = default;
};
struct MakeDevice {
  std::string path{};
  std::uint32_t mode = 0;  // with its type
  std::uint32_t major = 0, minor = 0;
  std::optional<std::uint32_t> uid{}, gid{};
  bool bind = false;  // the host's, since mknod(2) is not allowed
  bool operator==(const MakeDevice&) const = default;
};
struct MakeDirectory {
  std::string path{};
  bool operator==(const MakeDirectory&) const = default;
};
struct OpenTerminal {
  std::uint16_t rows = 0, columns = 0;
  std::uint32_t uid = 0;
  bool bind_console = true;  // as /dev/console
  bool operator==(const OpenTerminal&) const = default;
};
// The runtime runs prestart and createRuntime hooks meanwhile.
struct AwaitRuntimeHooks {
  bool operator==(const AwaitRuntimeHooks&) const = default;
};
struct RunHooks {
  bool operator==(const RunHooks&) const = default;
};
struct MaskPath {
  std::string path{};
  bool operator==(const MaskPath&) const = default;
};
struct MakeReadonly {
  std::string path{};
  bool operator==(const MakeReadonly&) const = default;
};
struct MakeRootReadonly {
  bool operator==(const MakeRootReadonly&) const = default;
};
// pivot_root(2); MS_MOVE and chroot(2); chroot(2) alone.
struct EnterRoot {
  enum class How { pivot, move, chroot } how = How::pivot;
  bool operator==(const EnterRoot&) const = default;
};
// Of a container that runs: its root, which is entered with chroot(2) if it shares the mounts of others.
struct UseRoot {
  bool chroot = false;
  bool operator==(const UseRoot&) const = default;
};
struct EnterDirectory {
  std::string path{};
  std::uint32_t uid = 0, gid = 0;  // tried as this user where root may not
  bool operator==(const EnterDirectory&) const = default;
};
struct FindProgram {
  std::vector<std::string> candidates{};  // of absolute paths, or relative to the working directory
  std::string name{};
  bool operator==(const FindProgram&) const = default;
};

}  // namespace step

using Step = std::variant<step::JoinNamespace, step::NewSession, step::NewKeyring, step::UnshareCgroup,
                          step::SetHostname, step::SetDomainname, step::LoopbackUp, step::WriteSysctl,
                          step::SetPropagation, step::OpenRoot, step::MountAt, step::MakeLink,
                          step::MakeDevice, step::MakeDirectory, step::OpenTerminal, step::AwaitRuntimeHooks,
                          step::RunHooks, step::MaskPath, step::MakeReadonly, step::MakeRootReadonly,
                          step::EnterRoot, step::UseRoot, step::EnterDirectory, step::FindProgram>;

// "mounting tmpfs at /dev": what an error is said to have happened at.
std::string describe(const Step& step);

struct Join {
  NamespaceType type = NamespaceType::mount;
  std::string path{};
  bool operator==(const Join&) const = default;
};

// A mount that is opened before the container has namespaces of its own, so that the user of its user
// namespace need not be able to reach it, or so that ids can be mapped.
struct SourceMount {
  std::string path{};
  bool recursive = false;
  bool idmap = false, idmap_recursive = false;
  std::vector<IdMapping> uid_mappings{}, gid_mappings{};
};

struct Plan {
  // CLONE_NEW* of the container's process.
  std::uint64_t clone_flags = 0;
  std::vector<Join> joins{};
  // Some namespaces reach only children of those who enter them: a process in between does that.
  bool needs_intermediate = false;
  bool unshare_user = false, unshare_time = false;  // by the one in between
  bool new_user_namespace = false;
  std::vector<IdMapping> uid_mappings{}, gid_mappings{};
  std::string time_offsets{};  // lines of /proc/self/timens_offsets
  bool join_user = false;
  std::string oom_score{};          // "" to leave it
  bool oom_score_may_fail = false;  // without the right to lower it
  std::vector<SourceMount> sources{};
  bool has_mount_api = true;
  bool mounts_stay =
      false;  // in the namespace of the caller: the one who deletes the container unmounts them
  std::vector<Step> steps{};
  std::vector<std::string> warnings{};
};

struct PlanOptions {
  std::string root{};    // absolute path of the root file system
  std::string bundle{};  // absolute
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool rootless = false;
  std::string keyring_name = "_ses";
  std::string root_mount{};  // where the mount that has the root is mounted; needed for shared propagation
};

// Kind::invalid_input or unsupported with the member's name.
Plan plan(const Spec& spec, const Host& host, const PlanOptions& options);

// What the container's first process and the one that makes it tell the runtime, over a SOCK_SEQPACKET.
struct ChildMessage {
  enum Kind : std::int32_t {
    needs_maps,  // of its user namespace; waits for a byte
    started,     // pid: the container's process
    at_hooks,    // waits for a byte
    prepared,    // waits for start
    failed,      // step, error
  };
  std::int32_t kind = failed, step = 0, error = 0, pid = 0;
};

struct TailOptions {
  int error_fd = -1;  // a TailReport is sent when a call fails
  bool report_prepared = false;
  int wait_fd = -1;                  // something is read from it before the program is executed; -1: at once
  std::vector<std::byte> seccomp{};  // struct sock_filter[]
  std::uint64_t seccomp_flags = 0;
  int listener_socket = -1;  // that the filter's descriptor is sent to
  std::string listener_message{};
  int proc_fd = -1;  // /proc of the host, for the labels of security modules
  bool setgroups_allowed = true;
  int death_signal = 0;  // when the thread that made it ends
};

// A program's last calls; the path to execute is the first argument of the last one.
struct ProcessTail {
  Tail tail{};
  std::vector<Tail::Offset> candidates{};  // paths, as in FindProgram
};
ProcessTail plan_tail(const Process& process, const std::optional<Personality>& personality, const Host& host,
                      const std::vector<std::string>& candidates, const TailOptions& options,
                      std::vector<std::string>& warnings);

// Where execvp(3) would look for args[0]: with '/' in it only there, else in PATH of env.
std::vector<std::string> program_candidates(const Process& process);

// Kind::invalid_input unless the members of a process make sense.
void check_process(const Process& process);

}  // namespace lade::runtime
