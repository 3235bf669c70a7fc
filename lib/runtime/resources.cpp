#include "runtime/resources.hpp"

#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <bit>

#include "base/error.hpp"

namespace lade::runtime {
namespace {

using Writes = std::vector<CgroupWrite>;

class ResourceWriter {
 public:
  explicit ResourceWriter(const char* controller) : controller_(controller) {}

  template <class T>
  void number(const char* file, const std::optional<T>& value) {
    if (value) text(file, std::to_string(*value));
  }
  void text(std::string file, std::string value) {
    if (!value.empty()) writes_.push_back({controller_, std::move(file), std::move(value)});
  }
  void move_to(Writes& all) { all.insert(all.end(), writes_.begin(), writes_.end()); }

 private:
  const char* controller_;
  Writes writes_;
};

[[noreturn]] void refuse_resource(Kind kind, std::string text) {
  throw Error(kind, "linux.resources." + text);
}

std::string or_max(std::int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

std::string pids_value(std::int64_t limit) {
  return limit <= 0 ? "max" : std::to_string(limit);
}

std::string device_number(std::int64_t major, std::int64_t minor) {
  return fmt::format("{}:{}", major, minor);
}

void check_page_size(const HugepageLimit& limit) {
  const auto& size = limit.page_size;
  const std::size_t digits = size.find_first_not_of("0123456789");
  const bool valid =
      digits != 0 && digits != std::string::npos &&
      (size.substr(digits) == "KB" || size.substr(digits) == "MB" || size.substr(digits) == "GB");
  if (!valid) refuse_resource(Kind::invalid_input, "hugepageLimits: bad page size " + size);
}

std::string rdma_value(const std::string& device, const RdmaLimit& limit) {
  std::string value = device;
  if (limit.hca_handles) value += fmt::format(" hca_handle={}", *limit.hca_handles);
  if (limit.hca_objects) value += fmt::format(" hca_object={}", *limit.hca_objects);
  return value;
}

void plan_rdma(const Resources& resources, Writes& all) {
  ResourceWriter rdma("rdma");
  for (const auto& [device, limit] : resources.rdma) rdma.text("rdma.max", rdma_value(device, limit));
  rdma.move_to(all);
}

void plan_block_v1(const BlockLimits& limits, Writes& all) {
  ResourceWriter blkio("blkio");
  blkio.number("blkio.weight", limits.weight);
  blkio.number("blkio.leaf_weight", limits.leaf_weight);
  for (const BlockWeight& device : limits.weight_device) {
    const std::string number = device_number(device.major, device.minor);
    if (device.weight) blkio.text("blkio.weight_device", fmt::format("{} {}", number, *device.weight));
    if (device.leaf_weight)
      blkio.text("blkio.leaf_weight_device", fmt::format("{} {}", number, *device.leaf_weight));
  }
  const auto throttle = [&](const char* file, const std::vector<BlockThrottle>& list) {
    for (const BlockThrottle& t : list)
      blkio.text(file, fmt::format("{} {}", device_number(t.major, t.minor), t.rate));
  };
  throttle("blkio.throttle.read_bps_device", limits.read_bps);
  throttle("blkio.throttle.write_bps_device", limits.write_bps);
  throttle("blkio.throttle.read_iops_device", limits.read_iops);
  throttle("blkio.throttle.write_iops_device", limits.write_iops);
  blkio.move_to(all);
}

void plan_memory_v1(const MemoryLimits& limits, Writes& all) {
  ResourceWriter memory("memory");
  memory.number("memory.limit_in_bytes", limits.limit);
  memory.number("memory.memsw.limit_in_bytes", limits.swap);
  memory.number("memory.soft_limit_in_bytes", limits.reservation);
  memory.number("memory.kmem.limit_in_bytes", limits.kernel);
  memory.number("memory.kmem.tcp.limit_in_bytes", limits.kernel_tcp);
  memory.number("memory.swappiness", limits.swappiness);
  if (limits.disable_oom_killer.value_or(false)) memory.text("memory.oom_control", "1");
  memory.move_to(all);
}

std::uint64_t weight_of_shares(std::uint64_t shares) {
  constexpr std::uint64_t least = 2, most = 262144;
  return 1 + (std::clamp(shares, least, most) - least) * 9999 / (most - least);
}

std::uint64_t io_weight(std::uint16_t weight) {
  constexpr unsigned least = 10, most = 1000;
  return 1 + (std::clamp<unsigned>(weight, least, most) - least) * 9999 / (most - least);
}

void plan_memory_v2(const MemoryLimits& limits, Writes& all) {
  if (limits.kernel.value_or(-1) >= 0 || limits.kernel_tcp.value_or(-1) >= 0)
    refuse_resource(Kind::unsupported, "memory.kernel: cgroup v2 has no such limit");
  if (limits.disable_oom_killer.value_or(false))
    refuse_resource(Kind::unsupported, "memory.disableOOMKiller: cgroup v2 has no such switch");
  ResourceWriter memory("memory");
  if (limits.swap) {
    const bool unlimited = *limits.swap < 0;
    if (!unlimited && limits.limit.value_or(-1) < 0)
      refuse_resource(Kind::invalid_input, "memory.swap: needs memory.limit, as it counts memory too");
    if (!unlimited && *limits.swap < *limits.limit)
      refuse_resource(Kind::invalid_input, "memory.swap: is below memory.limit, which it counts too");
    // 0 swap is asked for by equal numbers.
    memory.text("memory.swap.max", unlimited ? "max" : std::to_string(*limits.swap - *limits.limit));
  }
  if (limits.limit) memory.text("memory.max", or_max(*limits.limit));
  if (limits.reservation) memory.text("memory.low", or_max(*limits.reservation));
  memory.move_to(all);
}

void plan_cpu_v2(const CpuLimits& limits, Writes& all) {
  if (limits.realtime_runtime.value_or(0) != 0 || limits.realtime_period.value_or(0) != 0)
    refuse_resource(Kind::unsupported, "cpu.realtimeRuntime: cgroup v2 has no such limit");
  ResourceWriter cpu("cpu");
  if (limits.idle) cpu.text("cpu.idle", std::to_string(*limits.idle));
  if (limits.shares.value_or(0) != 0)
    cpu.text("cpu.weight", std::to_string(weight_of_shares(*limits.shares)));
  constexpr std::uint64_t default_period = 100'000;
  if (limits.quota || limits.period) {
    const std::int64_t quota = limits.quota.value_or(0);
    const std::string most = quota <= 0 ? "max" : std::to_string(quota);
    cpu.text("cpu.max", fmt::format("{} {}", most, limits.period.value_or(default_period)));
  }
  cpu.number("cpu.max.burst", limits.burst);
  cpu.move_to(all);
  ResourceWriter cpuset("cpuset");
  cpuset.text("cpuset.cpus", limits.cpus);
  cpuset.text("cpuset.mems", limits.mems);
  cpuset.move_to(all);
}

void plan_block_v2(const BlockLimits& limits, Writes& all) {
  ResourceWriter io("io");
  if (limits.weight.value_or(0) != 0)
    io.text("io.weight", fmt::format("default {}", io_weight(*limits.weight)));
  for (const BlockWeight& device : limits.weight_device) {
    if (device.weight)
      io.text("io.weight",
              fmt::format("{} {}", device_number(device.major, device.minor), io_weight(*device.weight)));
  }
  const auto throttle = [&](const char* word, const std::vector<BlockThrottle>& list) {
    for (const BlockThrottle& t : list)
      io.text("io.max", fmt::format("{} {}={}", device_number(t.major, t.minor), word, t.rate));
  };
  throttle("rbps", limits.read_bps);
  throttle("wbps", limits.write_bps);
  throttle("riops", limits.read_iops);
  throttle("wiops", limits.write_iops);
  io.move_to(all);
}

DeviceRule allow_rule(const char* type, std::optional<std::int64_t> major, std::optional<std::int64_t> minor,
                      const char* access) {
  return {true, type, major, minor, access};
}

}  // namespace

std::vector<CgroupWrite> plan_cgroup_v1(const Resources& resources) {
  Writes all;
  ResourceWriter cpuset("cpuset");
  cpuset.text("cpuset.cpus", resources.cpu.cpus);
  cpuset.text("cpuset.mems", resources.cpu.mems);
  cpuset.move_to(all);
  ResourceWriter cpu("cpu");
  cpu.number("cpu.shares", resources.cpu.shares);
  cpu.number("cpu.cfs_period_us", resources.cpu.period);
  cpu.number("cpu.cfs_quota_us", resources.cpu.quota);
  cpu.number("cpu.cfs_burst_us", resources.cpu.burst);
  cpu.number("cpu.rt_period_us", resources.cpu.realtime_period);
  cpu.number("cpu.rt_runtime_us", resources.cpu.realtime_runtime);
  cpu.number("cpu.idle", resources.cpu.idle);
  cpu.move_to(all);
  plan_memory_v1(resources.memory, all);
  if (const auto limit = resources.pids.limit) all.push_back({"pids", "pids.max", pids_value(*limit)});
  plan_block_v1(resources.block_io, all);
  for (const HugepageLimit& limit : resources.hugepage_limits) {
    check_page_size(limit);
    all.push_back({"hugetlb", "hugetlb." + limit.page_size + ".limit_in_bytes", std::to_string(limit.limit)});
  }
  if (const auto id = resources.network.class_id)
    all.push_back({"net_cls", "net_cls.classid", std::to_string(*id)});
  for (const InterfacePriority& entry : resources.network.priorities) {
    all.push_back({"net_prio", "net_prio.ifpriomap", fmt::format("{} {}", entry.name, entry.priority)});
  }
  plan_rdma(resources, all);
  if (!resources.unified.empty())
    refuse_resource(Kind::unsupported, "unified: the host's controllers are those of cgroup v1");
  return all;
}

std::vector<CgroupWrite> plan_cgroup_v2(const Resources& resources) {
  Writes all;
  plan_cpu_v2(resources.cpu, all);
  plan_memory_v2(resources.memory, all);
  if (const auto limit = resources.pids.limit) all.push_back({"pids", "pids.max", pids_value(*limit)});
  plan_block_v2(resources.block_io, all);
  for (const HugepageLimit& limit : resources.hugepage_limits) {
    check_page_size(limit);
    all.push_back({"hugetlb", "hugetlb." + limit.page_size + ".max", std::to_string(limit.limit)});
  }
  if (resources.network.class_id || !resources.network.priorities.empty())
    refuse_resource(Kind::unsupported, "network: cgroup v2 has no such limits");
  plan_rdma(resources, all);
  for (const auto& [file, value] : resources.unified) {
    const std::size_t dot = file.find('.');
    if (dot == std::string::npos || dot == 0 || file.find('/') != std::string::npos)
      refuse_resource(Kind::invalid_input, "unified: " + file + " is not a file of a cgroup");
    const std::string controller = file.substr(0, dot);
    all.push_back({controller == "cgroup" ? "" : controller, file, value});
  }
  return all;
}

std::vector<DeviceRule> complete_device_rules(const std::vector<DeviceRule>& rules) {
  std::vector<DeviceRule> all;
  for (const DeviceRule& rule : rules) {
    if (rule.access.find_first_not_of("rwm") != std::string::npos)
      refuse_resource(Kind::invalid_input, "devices: bad access " + rule.access);
    if (rule.type.size() > 1 ||
        (!rule.type.empty() && std::string_view("abcup").find(rule.type) == std::string_view::npos))
      refuse_resource(Kind::invalid_input, "devices: bad type " + rule.type);
    all.push_back(rule);
    if (all.back().access.empty()) all.back().access = "rwm";
    if (rule.type == "u") all.back().type = "c";
  }
  const auto any = std::optional<std::int64_t>();
  all.insert(all.end(),
             {allow_rule("c", any, any, "m"), allow_rule("b", any, any, "m"), allow_rule("c", 1, 3, "rwm"),
              allow_rule("c", 1, 5, "rwm"), allow_rule("c", 1, 7, "rwm"), allow_rule("c", 1, 8, "rwm"),
              allow_rule("c", 1, 9, "rwm"), allow_rule("c", 5, 0, "rwm"), allow_rule("c", 5, 1, "rwm"),
              allow_rule("c", 5, 2, "rwm"), allow_rule("c", 136, any, "rwm")});
  return all;
}

namespace {

// struct bpf_insn as a number, so that nothing depends on the order of its bit fields in tests.
std::uint64_t instruction(std::uint8_t code, unsigned target, unsigned source, std::int16_t offset,
                          std::int32_t value) {
  bpf_insn insn{};
  insn.code = code;
  insn.dst_reg = target & 0xf;
  insn.src_reg = source & 0xf;
  insn.off = offset;
  insn.imm = value;
  return std::bit_cast<std::uint64_t>(insn);
}

constexpr unsigned r_result = 0, r_context = 1, r_type = 2, r_access = 3, r_major = 4, r_minor = 5,
                   r_scratch = 1;

std::int32_t access_bits(const std::string& access) {
  std::int32_t bits = 0;
  for (const char c : access)
    bits |= c == 'm' ? BPF_DEVCG_ACC_MKNOD : c == 'r' ? BPF_DEVCG_ACC_READ : BPF_DEVCG_ACC_WRITE;
  return bits;
}

void add_rule_code(const DeviceRule& rule, std::vector<std::uint64_t>& program) {
  // Conditions that jump behind this rule; where that is, is known at the end.
  struct Condition {
    std::uint8_t code;
    unsigned target, source;
    std::int32_t value;
  };
  std::vector<std::pair<bool, Condition>> code;  // whether it jumps
  const bool every_type = rule.type.empty() || rule.type == "a";
  constexpr std::uint8_t differs = BPF_JMP | BPF_JNE | BPF_K;
  if (!every_type)
    code.push_back({true, {differs, r_type, 0, rule.type == "b" ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR}});
  if (const std::int32_t bits = access_bits(rule.access); bits != 7) {
    code.push_back({false, {BPF_ALU64 | BPF_MOV | BPF_X, r_scratch, r_access, 0}});
    code.push_back({false, {BPF_ALU64 | BPF_AND | BPF_K, r_scratch, 0, bits}});
    // All that is wanted has to be allowed; one part that is denied is enough.
    if (rule.allow)
      code.push_back({true, {BPF_JMP | BPF_JNE | BPF_X, r_scratch, r_access, 0}});
    else
      code.push_back({true, {BPF_JMP | BPF_JEQ | BPF_K, r_scratch, 0, 0}});
  }
  const auto number = [&](unsigned target, const std::optional<std::int64_t>& wanted) {
    if (wanted && *wanted >= 0)
      code.push_back({true, {differs, target, 0, static_cast<std::int32_t>(*wanted)}});
  };
  number(r_major, rule.major);
  number(r_minor, rule.minor);
  for (std::size_t i = 0; i < code.size(); ++i) {
    const auto& [jumps, condition] = code[i];
    const auto distance = static_cast<std::int16_t>(jumps ? code.size() - i - 1 + 2 : 0);
    program.push_back(
        instruction(condition.code, condition.target, condition.source, distance, condition.value));
  }
  program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, r_result, 0, 0, rule.allow ? 1 : 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

}  // namespace

std::vector<std::uint64_t> device_program(const std::vector<DeviceRule>& rules) {
  constexpr std::uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
  std::vector<std::uint64_t> program = {
      instruction(load, r_type, r_context, 0, 0),
      instruction(load, r_access, r_context, 0, 0),
      instruction(load, r_major, r_context, 4, 0),
      instruction(load, r_minor, r_context, 8, 0),
      instruction(BPF_ALU64 | BPF_AND | BPF_K, r_type, 0, 0, 0xffff),
      instruction(BPF_ALU64 | BPF_RSH | BPF_K, r_access, 0, 0, 16),
  };
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    add_rule_code(*rule, program);
    const bool decides_all = (rule->type.empty() || rule->type == "a") && !rule->major && !rule->minor &&
                             access_bits(rule->access) == 7;
    if (decides_all) return program;
  }
  program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, r_result, 0, 0, 1));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  return program;
}

}  // namespace lade::runtime
