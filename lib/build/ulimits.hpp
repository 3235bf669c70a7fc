// --ulimit and default_ulimits of containers.conf.
#pragma once

#include <cstdint>
#include <string>

namespace lade::build {

struct Ulimit {
  std::string resource;              // "RLIMIT_NOFILE"
  std::uint64_t soft = 0, hard = 0;  // UINT64_MAX: unlimited
};

// "nofile=1024:2048", "core=-1". Kind::invalid_input
// `ulimit option "X" requires name=SOFT:HARD, failed to be parsed: ...`.
Ulimit parse_ulimit(const std::string& text);

}  // namespace lade::build
