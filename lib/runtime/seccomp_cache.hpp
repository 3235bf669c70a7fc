// Compiled filters of system calls, kept between containers: libseccomp takes about 25 ms for the usual
// profile, ten times as long as all the rest of starting a process.
#pragma once

#include <filesystem>

#include "runtime/seccomp_filter.hpp"

namespace lade::runtime {

// As compile_seccomp(), by way of `directory`: mode 0700, made where it is not there, emptied when it holds
// many filters. A file there is of use to nobody but who has the same profile, library and machine. What
// cannot be kept is compiled anew.
SeccompFilter cached_seccomp(const std::filesystem::path& directory, const Seccomp& seccomp);

}  // namespace lade::runtime
