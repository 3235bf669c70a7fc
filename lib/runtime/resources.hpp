// linux.resources as what is written to the files of cgroups: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/spec.hpp"

namespace lade::runtime {

struct CgroupWrite {
  std::string controller{};  // "memory"; "" for files that every cgroup of v2 has
  std::string file{}, value{};
  bool operator==(const CgroupWrite&) const = default;
};

// In the order they are to be made. Kind::invalid_input or unsupported with the member's name.
std::vector<CgroupWrite> plan_cgroup_v1(const Resources& resources);
std::vector<CgroupWrite> plan_cgroup_v2(const Resources& resources);

// Those of the container, then those that every container has.
std::vector<DeviceRule> complete_device_rules(const std::vector<DeviceRule>& rules);

// A program of type BPF_PROG_TYPE_CGROUP_DEVICE: the last rule that matches decides, as in v1.
std::vector<std::uint64_t> device_program(const std::vector<DeviceRule>& rules);

}  // namespace lade::runtime
