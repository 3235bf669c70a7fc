// What a test machine may not allow, even to root: mounts, devices, trusted.* attributes.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace lade::test {

// For doctest::skip(!is_privileged()): CAP_SYS_ADMIN and CAP_MKNOD, tried out.
inline bool is_privileged() {
  static const bool privileged = [] {
    char folder[] = "/tmp/lade-privileges-XXXXXX";
    if (::mkdtemp(folder) == nullptr) return false;
    const bool attributes = ::setxattr(folder, "trusted.lade", "y", 1, 0) == 0;
    ::rmdir(folder);
    char device[] = "/tmp/lade-privileges-XXXXXX";
    if (::mkdtemp(device) == nullptr) return false;
    ::rmdir(device);
    const bool devices = ::mknod(device, S_IFCHR | 0600, 0x103) == 0;
    ::unlink(device);
    return attributes && devices;
  }();
  return privileged;
}

}  // namespace lade::test
