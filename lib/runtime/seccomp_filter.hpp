// Filters of system calls, compiled by libseccomp.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/spec.hpp"

namespace lade::runtime {

struct SeccompFilter {
  std::vector<std::byte> program{};  // struct sock_filter[]
  std::uint64_t flags = 0;           // of seccomp(2)
  bool notifies = false;             // some rule has SCMP_ACT_NOTIFY
};

// The flags and whether it notifies, without the program. Kind::invalid_input for an unknown flag.
SeccompFilter seccomp_use(const Seccomp& seccomp);

// Names of system calls that this libseccomp does not know are left out, as runc and crun do.
// Kind::invalid_input for words that are no action, operator, architecture or flag.
SeccompFilter compile_seccomp(const Seccomp& seccomp);

// What `features` tells.
std::vector<std::string> seccomp_actions();
std::vector<std::string> seccomp_operators();
std::vector<std::string> seccomp_architectures();
std::vector<std::string> seccomp_flags();

}  // namespace lade::runtime
