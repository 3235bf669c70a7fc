// The members of each object of config.json, named once for reading and for writing. A visitor `v` is called
// as v(name, member) for those that may be absent and as v.require(name, member) for the others.
#pragma once

#include "runtime/spec.hpp"

namespace lade::runtime {

template <class V, class T>
struct Members;

#define LADE_SPEC_MEMBERS(type)                                    \
  template <class V, class T>                                      \
  void describe_##type(V& v, T& o);                                \
  template <class V>                                               \
  struct Members<V, type> {                                        \
    static void of(V& v, type& o) { describe_##type(v, o); }       \
    static void of(V& v, const type& o) { describe_##type(v, o); } \
  };                                                               \
  template <class V, class T>                                      \
  void describe_##type(V& v, T& o)

LADE_SPEC_MEMBERS(IdMapping) {
  v.require("containerID", o.container_id);
  v.require("hostID", o.host_id);
  v.require("size", o.size);
}
LADE_SPEC_MEMBERS(Namespace) {
  v.require("type", o.type);
  v("path", o.path);
}
LADE_SPEC_MEMBERS(User) {
  v.require("uid", o.uid);
  v.require("gid", o.gid);
  v("umask", o.umask);
  v("additionalGids", o.additional_gids);
  v("username", o.username);
}
LADE_SPEC_MEMBERS(Capabilities) {
  v("bounding", o.bounding);
  v("effective", o.effective);
  v("inheritable", o.inheritable);
  v("permitted", o.permitted);
  v("ambient", o.ambient);
}
LADE_SPEC_MEMBERS(Rlimit) {
  v.require("type", o.type);
  v.require("hard", o.hard);
  v.require("soft", o.soft);
}
LADE_SPEC_MEMBERS(Scheduler) {
  v.require("policy", o.policy);
  v("nice", o.nice);
  v("priority", o.priority);
  v("flags", o.flags);
  v("runtime", o.runtime);
  v("deadline", o.deadline);
  v("period", o.period);
}
LADE_SPEC_MEMBERS(IoPriority) {
  v.require("class", o.io_class);
  v.require("priority", o.priority);
}
LADE_SPEC_MEMBERS(ConsoleSize) {
  v.require("height", o.height);
  v.require("width", o.width);
}
LADE_SPEC_MEMBERS(ExecCpuAffinity) {
  v("initial", o.initial);
  v("final", o.final);
}
LADE_SPEC_MEMBERS(Process) {
  v("terminal", o.terminal);
  v("consoleSize", o.console_size);
  v.require("user", o.user);
  v("args", o.args);
  v("env", o.env);
  v.require("cwd", o.cwd);
  v("capabilities", o.capabilities);
  v("rlimits", o.rlimits);
  v("noNewPrivileges", o.no_new_privileges);
  v("apparmorProfile", o.apparmor_profile);
  v("oomScoreAdj", o.oom_score_adj);
  v("scheduler", o.scheduler);
  v("selinuxLabel", o.selinux_label);
  v("ioPriority", o.io_priority);
  v("execCPUAffinity", o.exec_cpu_affinity);
}
LADE_SPEC_MEMBERS(Root) {
  v.require("path", o.path);
  v("readonly", o.readonly);
}
LADE_SPEC_MEMBERS(Mount) {
  v.require("destination", o.destination);
  v("type", o.type);
  v("source", o.source);
  v("options", o.options);
  v("uidMappings", o.uid_mappings);
  v("gidMappings", o.gid_mappings);
}
LADE_SPEC_MEMBERS(Hook) {
  v.require("path", o.path);
  v("args", o.args);
  v("env", o.env);
  v("timeout", o.timeout);
}
LADE_SPEC_MEMBERS(Hooks) {
  v("prestart", o.prestart);
  v("createRuntime", o.create_runtime);
  v("createContainer", o.create_container);
  v("startContainer", o.start_container);
  v("poststart", o.poststart);
  v("poststop", o.poststop);
}
LADE_SPEC_MEMBERS(Device) {
  v.require("path", o.path);
  v.require("type", o.type);
  v("major", o.major);
  v("minor", o.minor);
  v("fileMode", o.file_mode);
  v("uid", o.uid);
  v("gid", o.gid);
}
LADE_SPEC_MEMBERS(DeviceRule) {
  v.require("allow", o.allow);
  v("type", o.type);
  v("major", o.major);
  v("minor", o.minor);
  v("access", o.access);
}
LADE_SPEC_MEMBERS(MemoryLimits) {
  v("limit", o.limit);
  v("reservation", o.reservation);
  v("swap", o.swap);
  v("kernel", o.kernel);
  v("kernelTCP", o.kernel_tcp);
  v("swappiness", o.swappiness);
  v("disableOOMKiller", o.disable_oom_killer);
  v("useHierarchy", o.use_hierarchy);
  v("checkBeforeUpdate", o.check_before_update);
}
LADE_SPEC_MEMBERS(CpuLimits) {
  v("shares", o.shares);
  v("quota", o.quota);
  v("burst", o.burst);
  v("period", o.period);
  v("realtimeRuntime", o.realtime_runtime);
  v("realtimePeriod", o.realtime_period);
  v("cpus", o.cpus);
  v("mems", o.mems);
  v("idle", o.idle);
}
LADE_SPEC_MEMBERS(BlockWeight) {
  v.require("major", o.major);
  v.require("minor", o.minor);
  v("weight", o.weight);
  v("leafWeight", o.leaf_weight);
}
LADE_SPEC_MEMBERS(BlockThrottle) {
  v.require("major", o.major);
  v.require("minor", o.minor);
  v.require("rate", o.rate);
}
LADE_SPEC_MEMBERS(BlockLimits) {
  v("weight", o.weight);
  v("leafWeight", o.leaf_weight);
  v("weightDevice", o.weight_device);
  v("throttleReadBpsDevice", o.read_bps);
  v("throttleWriteBpsDevice", o.write_bps);
  v("throttleReadIOPSDevice", o.read_iops);
  v("throttleWriteIOPSDevice", o.write_iops);
}
LADE_SPEC_MEMBERS(HugepageLimit) {
  v.require("pageSize", o.page_size);
  v.require("limit", o.limit);
}
LADE_SPEC_MEMBERS(InterfacePriority) {
  v.require("name", o.name);
  v.require("priority", o.priority);
}
LADE_SPEC_MEMBERS(NetworkLimits) {
  v("classID", o.class_id);
  v("priorities", o.priorities);
}
LADE_SPEC_MEMBERS(RdmaLimit) {
  v("hcaHandles", o.hca_handles);
  v("hcaObjects", o.hca_objects);
}
LADE_SPEC_MEMBERS(PidsLimit) {
  v("limit", o.limit);
}
LADE_SPEC_MEMBERS(Resources) {
  v("devices", o.devices);
  v("memory", o.memory);
  v("cpu", o.cpu);
  v("pids", o.pids);
  v("blockIO", o.block_io);
  v("hugepageLimits", o.hugepage_limits);
  v("network", o.network);
  v("rdma", o.rdma);
  v("unified", o.unified);
}
LADE_SPEC_MEMBERS(SeccompArgument) {
  v.require("index", o.index);
  v.require("value", o.value);
  v("valueTwo", o.value_two);
  v.require("op", o.op);
}
LADE_SPEC_MEMBERS(SeccompRule) {
  v.require("names", o.names);
  v.require("action", o.action);
  v("errnoRet", o.errno_ret);
  v("args", o.args);
}
LADE_SPEC_MEMBERS(Seccomp) {
  v.require("defaultAction", o.default_action);
  v("defaultErrnoRet", o.default_errno_ret);
  v("architectures", o.architectures);
  v("flags", o.flags);
  v("listenerPath", o.listener_path);
  v("listenerMetadata", o.listener_metadata);
  v("syscalls", o.syscalls);
}
LADE_SPEC_MEMBERS(IntelRdt) {
  v("closID", o.clos_id);
  v("l3CacheSchema", o.l3_cache_schema);
  v("memBwSchema", o.mem_bw_schema);
  v("schemata", o.schemata);
  v("enableMonitoring", o.enable_monitoring);
}
LADE_SPEC_MEMBERS(TimeOffset) {
  v("secs", o.secs);
  v("nanosecs", o.nanosecs);
}
LADE_SPEC_MEMBERS(Personality) {
  v.require("domain", o.domain);
  v("flags", o.flags);
}
LADE_SPEC_MEMBERS(NetDevice) {
  v("name", o.name);
}
LADE_SPEC_MEMBERS(Linux) {
  v("uidMappings", o.uid_mappings);
  v("gidMappings", o.gid_mappings);
  v("sysctl", o.sysctl);
  v("resources", o.resources);
  v("cgroupsPath", o.cgroups_path);
  v("namespaces", o.namespaces);
  v("devices", o.devices);
  v("netDevices", o.net_devices);
  v("seccomp", o.seccomp);
  v("rootfsPropagation", o.rootfs_propagation);
  v("maskedPaths", o.masked_paths);
  v("readonlyPaths", o.readonly_paths);
  v("mountLabel", o.mount_label);
  v("intelRdt", o.intel_rdt);
  v("personality", o.personality);
  v("timeOffsets", o.time_offsets);
}
LADE_SPEC_MEMBERS(Spec) {
  v.require("ociVersion", o.oci_version);
  v("process", o.process);
  v("root", o.root);
  v("hostname", o.hostname);
  v("domainname", o.domainname);
  v("mounts", o.mounts);
  v("hooks", o.hooks);
  v("annotations", o.annotations);
  v("linux", o.linux);
}
#undef LADE_SPEC_MEMBERS

}  // namespace lade::runtime
