#include "runtime/plan.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "runtime/names.hpp"
#include "runtime/plan_mounts.hpp"

namespace lade::runtime {
namespace {

[[noreturn]] void refuse_config(std::string_view text) {
  throw Error(Kind::invalid_input, std::string(text));
}

bool is_new(const Spec& spec, NamespaceType type) {
  const Namespace* found = spec.linux.find(type);
  return found != nullptr && found->path.empty();
}

bool is_own(const Spec& spec, NamespaceType type) {
  return spec.linux.find(type) != nullptr;
}

void check_namespaces(const Spec& spec) {
  std::array<bool, namespace_types> seen{};
  for (const Namespace& entry : spec.linux.namespaces) {
    bool& known = seen[static_cast<std::size_t>(entry.type)];
    if (known) refuse_config(fmt::format("linux.namespaces: {} occurs twice", to_string(entry.type)));
    known = true;
    if (!entry.path.empty() && !entry.path.starts_with("/"))
      refuse_config(fmt::format("linux.namespaces: the path {} is not absolute", entry.path));
  }
  const bool has_maps = !spec.linux.uid_mappings.empty() || !spec.linux.gid_mappings.empty();
  if (has_maps && !is_own(spec, NamespaceType::user))
    refuse_config("linux.uidMappings: there is no user namespace");
  if (!spec.hostname.empty() && !is_own(spec, NamespaceType::uts))
    refuse_config("hostname: there is no uts namespace");
  if (!spec.domainname.empty() && !is_own(spec, NamespaceType::uts))
    refuse_config("domainname: there is no uts namespace");
  if (!spec.linux.time_offsets.empty() && !is_new(spec, NamespaceType::time))
    refuse_config("linux.timeOffsets: there is no new time namespace");
}

void check_unsupported(const Spec& spec) {
  if (!spec.linux.net_devices.empty())
    throw Error(Kind::unsupported, "linux.netDevices: moving network devices is not available in lade yet");
  if (spec.linux.intel_rdt)
    throw Error(Kind::unsupported, "linux.intelRdt: resource directors are not available in lade yet");
}

std::string time_offset_lines(const Spec& spec) {
  std::string lines;
  for (const auto& [clock, offset] : spec.linux.time_offsets) {
    if (clock != "monotonic" && clock != "boottime")
      refuse_config(fmt::format("linux.timeOffsets: there is no offset of the clock {}", clock));
    lines += fmt::format("{} {} {}\n", clock, offset.secs, offset.nanosecs);
  }
  return lines;
}

void plan_namespaces(const Spec& spec, const Host& host, Plan& plan) {
  for (const Namespace& entry : spec.linux.namespaces) {
    if (!entry.path.empty()) {
      plan.joins.push_back({entry.type, entry.path});
    } else if (entry.type != NamespaceType::cgroup && entry.type != NamespaceType::time) {
      plan.clone_flags |= clone_flag(entry.type);
    }
  }
  const auto joins = [&](NamespaceType type) {
    return std::any_of(plan.joins.begin(), plan.joins.end(),
                       [&](const Join& join) { return join.type == type; });
  };
  plan.new_user_namespace = is_new(spec, NamespaceType::user);
  plan.join_user = joins(NamespaceType::user);
  plan.unshare_time = is_new(spec, NamespaceType::time);
  plan.time_offsets = time_offset_lines(spec);
  plan.needs_intermediate = joins(NamespaceType::pid) || plan.join_user || joins(NamespaceType::time) ||
                            plan.unshare_time || (plan.new_user_namespace && !plan.joins.empty());
  plan.unshare_user = plan.needs_intermediate && plan.new_user_namespace;
  if (plan.unshare_user) plan.clone_flags &= ~clone_flag(NamespaceType::user);
  plan.uid_mappings = spec.linux.uid_mappings;
  plan.gid_mappings = spec.linux.gid_mappings;
  if (!plan.new_user_namespace) return;
  if (plan.uid_mappings.empty() != plan.gid_mappings.empty())
    refuse_config("linux.uidMappings and linux.gidMappings: one of them is missing");
  if (plan.uid_mappings.empty()) {
    if (host.is_privileged()) refuse_config("linux.uidMappings: a new user namespace needs them");
    plan.uid_mappings = {{0, host.uid, 1}};
    plan.gid_mappings = {{0, host.gid, 1}};
  }
}

// "net.ipv4.ip_forward" or "net/ipv4/ip_forward" as a path; a dot of a name is written '/' in the first form.
std::string sysctl_path(const std::string& name) {
  const std::size_t separator = name.find_first_of("./");
  std::string path = name;
  if (separator != std::string::npos && name[separator] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  const bool climbs = ("/" + path + "/").find("/../") != std::string::npos;
  if (path.empty() || path.front() == '/' || climbs) refuse_config("linux.sysctl: bad name " + name);
  return path;
}

void check_sysctl(const Spec& spec, const std::string& name, const std::string& path) {
  static constexpr std::string_view of_ipc[] = {
      "kernel/msgmax",      "kernel/msgmnb",      "kernel/msgmni",     "kernel/sem",
      "kernel/shmall",      "kernel/shmmax",      "kernel/shmmni",     "kernel/shm_rmid_forced",
      "kernel/msg_next_id", "kernel/sem_next_id", "kernel/shm_next_id"};
  const bool is_ipc = path.starts_with("fs/mqueue/") ||
                      std::find(std::begin(of_ipc), std::end(of_ipc), path) != std::end(of_ipc);
  const bool is_net = path.starts_with("net/");
  const bool is_uts = path == "kernel/domainname" || path == "kernel/hostname";
  const bool is_user = path.starts_with("user/");
  const auto require = [&](NamespaceType type) {
    if (!is_own(spec, type))
      refuse_config(
          fmt::format("linux.sysctl: {} is the host's without a {} namespace", name, to_string(type)));
  };
  if (is_ipc) return require(NamespaceType::ipc);
  if (is_net) return require(NamespaceType::network);
  if (is_uts) return require(NamespaceType::uts);
  if (is_user) return require(NamespaceType::user);
  refuse_config(fmt::format("linux.sysctl: {} belongs to no namespace", name));
}

void plan_oom_score(const Spec& spec, const PlanOptions& options, const Host& host, Plan& plan) {
  if (!spec.process || !spec.process->oom_score_adj) return;
  const int score = *spec.process->oom_score_adj;
  constexpr int least = -1000, most = 1000;
  if (score < least || score > most) refuse_config("process.oomScoreAdj: not from -1000 to 1000");
  plan.oom_score = std::to_string(score);
  plan.oom_score_may_fail = options.rootless || !host.can(CAP_SYS_RESOURCE);
}

void plan_kernel_names(const Spec& spec, const PlanOptions& options, Plan& plan) {
  auto& steps = plan.steps;
  if (!plan.needs_intermediate) {
    // The mounts last: the others are found in those of the host.
    for (const bool mounts : {false, true}) {
      for (std::size_t i = 0; i < plan.joins.size(); ++i) {
        if ((plan.joins[i].type == NamespaceType::mount) == mounts)
          steps.emplace_back(step::JoinNamespace{i});
      }
    }
  }
  steps.emplace_back(step::NewSession{});
  if (!options.no_new_keyring) steps.emplace_back(step::NewKeyring{options.keyring_name});
  if (is_new(spec, NamespaceType::cgroup)) steps.emplace_back(step::UnshareCgroup{});
  if (!spec.hostname.empty()) steps.emplace_back(step::SetHostname{spec.hostname});
  if (!spec.domainname.empty()) steps.emplace_back(step::SetDomainname{spec.domainname});
  if (is_new(spec, NamespaceType::network)) steps.emplace_back(step::LoopbackUp{});
  for (const auto& [name, value] : spec.linux.sysctl) {
    const std::string path = sysctl_path(name);
    check_sysctl(spec, name, path);
    steps.emplace_back(step::WriteSysctl{path, value});
  }
}

void plan_root(const Spec& spec, const PlanOptions& options, bool opens_sources, Plan& plan) {
  const unsigned long propagation = parse_propagation(spec.linux.rootfs_propagation);
  plan.mounts_stay = !is_own(spec, NamespaceType::mount);
  const bool shared = (propagation & MS_SHARED) != 0;
  if (is_new(spec, NamespaceType::mount)) {
    const unsigned long first =
        propagation == 0 || (propagation & MS_UNBINDABLE) != 0 ? MS_SLAVE * 1UL : propagation;
    plan.steps.emplace_back(step::SetPropagation{first | MS_REC});
  }
  step::OpenRoot open;
  open.path = options.root;
  if (shared) open.parent_mount = options.root_mount;
  if (opens_sources && !shared && !plan.mounts_stay) {
    open.source_fd = plan.sources.size();
    plan.sources.push_back({options.root, true});
  }
  plan.steps.emplace_back(std::move(open));
}

void plan_protection(const Spec& spec, Plan& plan) {
  for (const std::string& path : spec.linux.masked_paths) plan.steps.emplace_back(step::MaskPath{path});
  for (const std::string& path : spec.linux.readonly_paths) plan.steps.emplace_back(step::MakeReadonly{path});
  if (spec.root->readonly) plan.steps.emplace_back(step::MakeRootReadonly{});
}

void plan_entry(const Spec& spec, const PlanOptions& options, Plan& plan) {
  using How = step::EnterRoot::How;
  const bool own_mounts = is_new(spec, NamespaceType::mount);
  plan.steps.emplace_back(step::EnterRoot{!own_mounts        ? How::chroot
                                          : options.no_pivot ? How::move
                                                             : How::pivot});
  if (const unsigned long propagation = parse_propagation(spec.linux.rootfs_propagation);
      propagation != 0 && own_mounts)
    plan.steps.emplace_back(step::SetPropagation{propagation});
  if (!spec.process) return;
  const Process& process = *spec.process;
  plan.steps.emplace_back(step::EnterDirectory{process.cwd, process.user.uid, process.user.gid});
  plan.steps.emplace_back(step::FindProgram{program_candidates(process), process.args[0]});
}

void plan_terminal(const Spec& spec, Plan& plan) {
  if (!spec.process || !spec.process->terminal) return;
  step::OpenTerminal terminal;
  if (const auto& size = spec.process->console_size) {
    terminal.rows = static_cast<std::uint16_t>(std::min(size->height, 65535U));
    terminal.columns = static_cast<std::uint16_t>(std::min(size->width, 65535U));
  }
  terminal.uid = spec.process->user.uid;
  plan.steps.emplace_back(terminal);
}

void check_hooks(const Hooks& hooks) {
  for (const auto* list : {&hooks.prestart, &hooks.create_runtime, &hooks.create_container,
                           &hooks.start_container, &hooks.poststart, &hooks.poststop}) {
    for (const Hook& hook : *list) {
      if (!hook.path.starts_with("/"))
        refuse_config(fmt::format("hooks: the path {} is not absolute", hook.path));
      if (hook.timeout && *hook.timeout == 0)
        refuse_config(fmt::format("hooks: {}: a timeout of 0", hook.path));
    }
  }
}

}  // namespace

bool step::MountAt::is_bind() const {
  return (flags & MS_BIND) != 0;
}

std::vector<std::string> program_candidates(const Process& process) {
  const std::string& name = process.args[0];
  if (name.find('/') != std::string::npos) return {name};
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& variable : process.env) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  std::vector<std::string> candidates;
  for (std::size_t begin = 0; begin <= path.size() && !name.empty();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string candidate = path.substr(begin, end - begin);
    if (candidate.empty()) candidate = ".";
    candidate.append("/").append(name);
    candidates.push_back(std::move(candidate));
    begin = end + 1;
  }
  return candidates;
}

void check_process(const Process& process) {
  if (process.args.empty()) refuse_config("process.args: is empty");
  if (!process.cwd.starts_with("/"))
    refuse_config("process.cwd: " + process.cwd + " is not an absolute path");
}

Plan plan(const Spec& spec, const Host& host, const PlanOptions& options) {
  if (!spec.root || spec.root->path.empty()) refuse_config("root.path: is missing");
  if (spec.process) check_process(*spec.process);
  check_hooks(spec.hooks);
  check_namespaces(spec);
  check_unsupported(spec);
  Plan plan;
  plan.has_mount_api = host.has_mount_api;
  plan_namespaces(spec, host, plan);
  const bool own_user = is_own(spec, NamespaceType::user);
  const MountPlanning mounts{spec, host, options, own_user || !host.initial_user_namespace,
                             own_user && host.is_privileged() && host.has_mount_api};
  plan_oom_score(spec, options, host, plan);
  plan_kernel_names(spec, options, plan);
  plan_root(spec, options, mounts.opens_sources, plan);
  plan_mounts(mounts, plan);
  plan_devices(mounts, plan);
  plan_terminal(spec, plan);
  if (!spec.hooks.prestart.empty() || !spec.hooks.create_runtime.empty())
    plan.steps.emplace_back(step::AwaitRuntimeHooks{});
  if (!spec.hooks.create_container.empty())
    plan.steps.emplace_back(step::RunHooks{});
  if (spec.process) plan.steps.emplace_back(step::MakeDirectory{spec.process->cwd});
  plan_protection(spec, plan);
  plan_entry(spec, options, plan);
  return plan;
}

}  // namespace lade::runtime
