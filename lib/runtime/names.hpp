// The words of the specification as the kernel's numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec.hpp"

namespace lade::runtime {

struct NamedNumber {
  std::string_view name;
  std::uint64_t value;
};
std::optional<std::uint64_t> find_number(std::span<const NamedNumber> table, std::string_view name);

std::span<const NamedNumber> capability_names();  // "CAP_CHOWN" -> 0
std::span<const NamedNumber> rlimit_names();
std::span<const NamedNumber> scheduler_policies();
std::span<const NamedNumber> scheduler_flags();
std::span<const NamedNumber> io_classes();
std::uint64_t clone_flag(NamespaceType type);

// One word of a mount's options.
struct MountOption {
  enum class Effect { flag, clear, propagation, recursive, recursive_clear, copy_up, idmap, ridmap, none };
  std::string_view name;
  Effect effect;
  std::uint64_t flags;  // MS_*; for recursive ones MOUNT_ATTR_*
};
std::span<const MountOption> mount_options();
const MountOption* find_mount_option(std::string_view name);  // nullptr: it is for the file system

// MS_* of a mount(2) as MOUNT_ATTR_* of mount_setattr(2); flags of the superblock are left out.
std::uint64_t mount_attributes(std::uint64_t mount_flags);

// "1-3,7" as a set of CPU numbers; nullopt if it is not such a list.
std::optional<std::vector<unsigned>> parse_cpu_list(std::string_view list);

}  // namespace lade::runtime
