#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.hpp"
#include "runtime/names.hpp"
#include "runtime/plan.hpp"

namespace lade::runtime {
namespace {

using Argument = Tail::Argument;

[[noreturn]] void refuse_process(std::string text) {
  throw Error(Kind::invalid_input, std::move(text));
}

struct TailPlanning {
  const Process& process;
  const Host& host;
  const TailOptions& options;
  std::vector<std::string>& warnings;
  Tail& tail;
};

template <class T>
Argument data(Tail& tail, const T& value) {
  return Argument::at(tail.add_bytes(&value, sizeof value));
}

void plan_limits(const TailPlanning& in) {
  for (const Rlimit& limit : in.process.rlimits) {
    const auto number = find_number(rlimit_names(), limit.type);
    if (!number) refuse_process("process.rlimits: unknown limit " + limit.type);
    const auto same = [&](const Rlimit& other) { return other.type == limit.type; };
    if (std::count_if(in.process.rlimits.begin(), in.process.rlimits.end(), same) > 1)
      refuse_process("process.rlimits: " + limit.type + " occurs twice");
    rlimit64 value{limit.soft, limit.hard};
    const std::uint64_t most = in.host.limits[*number].hard;
    const bool may_raise = in.host.initial_user_namespace && in.host.can(CAP_SYS_RESOURCE);
    if (!may_raise && value.rlim_max > most) {
      in.warnings.push_back(fmt::format(
          "process.rlimits: {} is kept at {}, which this process may not exceed", limit.type, most));
      value.rlim_max = most;
      value.rlim_cur = std::min<std::uint64_t>(value.rlim_cur, most);
    }
    if (value.rlim_cur > value.rlim_max)
      refuse_process("process.rlimits: " + limit.type + ": soft is above hard");
    in.tail.call(SYS_prlimit64, {0, *number, data(in.tail, value), 0}, "setting " + limit.type);
  }
}

// struct sched_attr of sched_setattr(2), its first version.
struct SchedulerAttributes {
  std::uint32_t size = 48, policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};
static_assert(sizeof(SchedulerAttributes) == 48);

void plan_scheduling(const TailPlanning& in) {
  if (const auto& scheduler = in.process.scheduler) {
    SchedulerAttributes attributes;
    const auto policy = find_number(scheduler_policies(), scheduler->policy);
    if (!policy) refuse_process("process.scheduler: unknown policy " + scheduler->policy);
    attributes.policy = static_cast<std::uint32_t>(*policy);
    for (const std::string& flag : scheduler->flags) {
      const auto value = find_number(scheduler_flags(), flag);
      if (!value) refuse_process("process.scheduler: unknown flag " + flag);
      attributes.flags |= *value;
    }
    attributes.nice = scheduler->nice;
    attributes.priority = static_cast<std::uint32_t>(scheduler->priority);
    attributes.runtime = scheduler->runtime;
    attributes.deadline = scheduler->deadline;
    attributes.period = scheduler->period;
    in.tail.call(SYS_sched_setattr, {0, data(in.tail, attributes), 0}, "process.scheduler");
  }
  if (const auto& priority = in.process.io_priority) {
    constexpr int highest = 7, class_shift = 13, who_process = 1;
    const auto io_class = find_number(io_classes(), priority->io_class);
    if (!io_class) refuse_process("process.ioPriority: unknown class " + priority->io_class);
    if (priority->priority < 0 || priority->priority > highest)
      refuse_process("process.ioPriority: the priority is not from 0 to 7");
    in.tail.call(SYS_ioprio_set,
                 {who_process, 0, *io_class << class_shift | static_cast<std::uint64_t>(priority->priority)},
                 "process.ioPriority");
  }
}

void plan_personality(const TailPlanning& in, const std::optional<Personality>& personality) {
  if (!personality) return;
  constexpr std::uint64_t per_linux = 0, per_linux32 = 8;
  if (personality->domain != "LINUX" && personality->domain != "LINUX32")
    refuse_process("linux.personality: unknown domain " + personality->domain);
  if (!personality->flags.empty())
    throw Error(Kind::unsupported, "linux.personality: flags are not supported");
  in.tail.call(SYS_personality, {personality->domain == "LINUX" ? per_linux : per_linux32},
               "linux.personality");
}

void write_label(const TailPlanning& in, std::string_view file, const std::string& label) {
  Tail& tail = in.tail;
  tail.call(SYS_openat,
            {static_cast<std::uint64_t>(in.options.proc_fd), Argument::at(tail.add_string(file)), 1, 0},
            fmt::format("opening {}", file));
  tail.pass_result();
  tail.call(SYS_write, {0, Argument::at(tail.add_string(label)), label.size()},
            fmt::format("setting label {}", label));
}

void plan_labels(const TailPlanning& in) {
  if (const std::string& profile = in.process.apparmor_profile; !profile.empty()) {
    if (!in.host.has_apparmor)
      throw Error(Kind::unsupported, "process.apparmorProfile: AppArmor is not enabled on this host");
    write_label(in, "self/attr/apparmor/exec", "exec " + profile);
  }
  if (const std::string& label = in.process.selinux_label; !label.empty()) {
    if (!in.host.has_selinux)
      throw Error(Kind::unsupported, "process.selinuxLabel: SELinux is not enabled on this host");
    write_label(in, "self/attr/exec", label);
  }
}

// The bits of names; what is unknown or cannot be had is told and left out, as the specification wants.
std::uint64_t capability_bits(const TailPlanning& in, const std::vector<std::string>& names,
                              const char* set) {
  std::uint64_t bits = 0;
  for (const std::string& name : names) {
    const auto number = find_number(capability_names(), name);
    if (!number || *number > in.host.last_capability) {
      in.warnings.push_back(fmt::format("process.capabilities.{}: unknown capability {}", set, name));
    } else if (!in.host.can(static_cast<unsigned>(*number))) {
      in.warnings.push_back(fmt::format("process.capabilities.{}: {} cannot be granted", set, name));
    } else {
      bits |= std::uint64_t{1} << *number;
    }
  }
  return bits;
}

void plan_bounding(const TailPlanning& in, std::uint64_t bounding) {
  for (unsigned i = 0; i <= in.host.last_capability; ++i) {
    if ((bounding >> i & 1) == 0)
      in.tail.call(SYS_prctl, {PR_CAPBSET_DROP, i, 0, 0, 0}, "process.capabilities.bounding");
  }
}

void plan_user(const TailPlanning& in) {
  const User& user = in.process.user;
  Tail& tail = in.tail;
  if (in.options.setgroups_allowed) {
    const Tail::Offset groups =
        tail.add_bytes(user.additional_gids.data(), user.additional_gids.size() * sizeof(std::uint32_t));
    tail.call(SYS_setgroups, {user.additional_gids.size(), Argument::at(groups)},
              "process.user.additionalGids", user.additional_gids.empty() ? +TailCall::ignore_eperm : 0U);
  } else if (!user.additional_gids.empty()) {
    refuse_process("process.user.additionalGids: this user namespace does not allow setgroups");
  }
  tail.call(SYS_setresgid, {user.gid, user.gid, user.gid}, fmt::format("setting group {}", user.gid));
  tail.call(SYS_prctl, {PR_SET_KEEPCAPS, 1, 0, 0, 0}, "keeping capabilities");
  tail.call(SYS_setresuid, {user.uid, user.uid, user.uid}, fmt::format("setting user {}", user.uid));
  constexpr std::uint32_t default_umask = 022;
  tail.call(SYS_umask, {user.umask.value_or(default_umask)}, "umask");
  tail.call(SYS_prctl, {PR_SET_PDEATHSIG, static_cast<std::uint64_t>(in.options.death_signal), 0, 0, 0},
            "prctl");
}

void plan_capabilities(const TailPlanning& in, const Capabilities& wanted) {
  // Loading a filter without no_new_privs needs it; execve(2) takes it away again.
  const bool needs_admin =
      !in.options.seccomp.empty() && !in.process.no_new_privileges && in.host.can(CAP_SYS_ADMIN);
  const std::uint64_t admin = needs_admin ? std::uint64_t{1} << CAP_SYS_ADMIN : 0;
  const std::uint64_t effective = capability_bits(in, wanted.effective, "effective") | admin;
  const std::uint64_t permitted = capability_bits(in, wanted.permitted, "permitted") | effective;
  const std::uint64_t inheritable = capability_bits(in, wanted.inheritable, "inheritable");
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); };
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct sets[2] = {{low(effective), low(permitted), low(inheritable)},
                                          {high(effective), high(permitted), high(inheritable)}};
  const Argument header_data = data(in.tail, header);
  in.tail.call(SYS_capset, {header_data, data(in.tail, sets)}, "process.capabilities");
  in.tail.call(SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0}, "process.capabilities.ambient",
               TailCall::ignore_error);
  const std::uint64_t ambient = capability_bits(in, wanted.ambient, "ambient");
  for (unsigned i = 0; i <= in.host.last_capability; ++i) {
    if ((ambient >> i & 1) == 0) continue;
    if ((permitted & inheritable) >> i & 1) {
      in.tail.call(SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0},
                   "process.capabilities.ambient");
    } else {
      in.warnings.push_back(fmt::format("process.capabilities.ambient: {} is not permitted and inheritable",
                                        capability_names()[i].name));
    }
  }
}

// Sends the filter's descriptor, which is the result of the call before, with `message`.
void plan_listener(const TailPlanning& in) {
  Tail& tail = in.tail;
  const std::string& message = in.options.listener_message;
  const Tail::Offset text = tail.add_string(message);
  iovec part{nullptr, message.size()};
  const Tail::Offset parts = tail.add_bytes(&part, sizeof part);
  tail.point(parts + offsetof(iovec, iov_base), text);
  std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  const cmsghdr rights{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  std::memcpy(control.data(), &rights, sizeof rights);
  const Tail::Offset controls = tail.add_bytes(control.data(), control.size());
  msghdr header{};
  header.msg_iovlen = 1;
  header.msg_controllen = control.size();
  const Tail::Offset headers = tail.add_bytes(&header, sizeof header);
  tail.point(headers + offsetof(msghdr, msg_iov), parts);
  tail.point(headers + offsetof(msghdr, msg_control), controls);
  tail.store_result(controls + sizeof(cmsghdr));
  tail.call(SYS_sendmsg,
            {static_cast<std::uint64_t>(in.options.listener_socket), Argument::at(headers), MSG_NOSIGNAL},
            "linux.seccomp.listenerPath");
}

void plan_filter(const TailPlanning& in) {
  const auto& program = in.options.seccomp;
  if (program.empty()) return;
  Tail& tail = in.tail;
  struct {
    std::uint64_t length;
    std::uint64_t address = 0;
  } header{program.size() / sizeof(sock_filter)};  // struct sock_fprog of 64-bit processors
  static_assert(sizeof(sock_fprog) == sizeof header);
  const Tail::Offset filter = tail.add_bytes(program.data(), program.size());
  const Tail::Offset described = tail.add_bytes(&header, sizeof header);
  tail.point(described + sizeof header.length, filter);
  tail.call(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, in.options.seccomp_flags, Argument::at(described)},
            "linux.seccomp");
  if (in.options.listener_socket >= 0) plan_listener(in);
}

}  // namespace

ProcessTail plan_tail(const Process& process, const std::optional<Personality>& personality, const Host& host,
                      const std::vector<std::string>& candidates, const TailOptions& options,
                      std::vector<std::string>& warnings) {
  ProcessTail planned;
  Tail& tail = planned.tail;
  const TailPlanning in{process, host, options, warnings, tail};
  tail.call(SYS_prctl, {PR_SET_DUMPABLE, 0, 0, 0, 0}, "prctl");
  for (const int fd : {options.error_fd, options.wait_fd, options.proc_fd, options.listener_socket}) {
    if (fd >= 0) tail.call(SYS_fcntl, {static_cast<std::uint64_t>(fd), F_SETFD, FD_CLOEXEC}, "fcntl");
  }
  plan_limits(in);
  plan_scheduling(in);
  plan_personality(in, personality);
  plan_labels(in);
  const Capabilities capabilities = process.capabilities.value_or(Capabilities{});
  plan_bounding(in, capability_bits(in, capabilities.bounding, "bounding"));
  plan_user(in);
  plan_capabilities(in, capabilities);
  if (process.no_new_privileges)
    tail.call(SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0}, "process.noNewPrivileges");
  if (options.report_prepared) {
    const ChildMessage prepared{ChildMessage::prepared, 0, 0, 0};
    tail.call(SYS_sendto,
              {static_cast<std::uint64_t>(options.error_fd), data(tail, prepared), sizeof prepared,
               MSG_NOSIGNAL, 0, 0},
              "telling that it is prepared");
  }
  if (options.wait_fd >= 0) {
    const std::uint64_t nothing = 0;
    tail.call(SYS_read, {static_cast<std::uint64_t>(options.wait_fd), data(tail, nothing), 1},
              "waiting for start", TailCall::wait);
  }
  plan_filter(in);
  for (const std::string& candidate : candidates) planned.candidates.push_back(tail.add_string(candidate));
  const std::string name = process.args.empty() ? "" : process.args[0];
  const Argument path = planned.candidates.empty() ? Argument(0) : Argument::at(planned.candidates.front());
  const Argument arguments = Argument::at(tail.add_strings(process.args));
  tail.call(SYS_execve, {path, arguments, Argument::at(tail.add_strings(process.env))}, "executing " + name,
            TailCall::execute);
  return planned;
}

}  // namespace lade::runtime
