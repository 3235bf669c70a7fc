// Squashfs images (kernel: Documentation/filesystems/squashfs.rst), read by libsquashfs.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "archive/tar_writer.hpp"
#include "base/context.hpp"
#include "os/unique_fd.hpp"

namespace lade::archive {

// Writes the tree of the squashfs image in [offset, offset + size) of the file as members of `tar`, in the
// order of names, with owners, times, extended attributes and hard links; sockets are left out, and so is
// what is named in `except` ("podman/runscript"). The tar is not finished. Kind::invalid_input for an image
// that is damaged, of more than max_squashfs_members members or more than max_squashfs_size bytes;
// Kind::unsupported for a compression that the library lacks, or in a program built without the library.
void squashfs_to_tar(const Context& context, const std::shared_ptr<const os::UniqueFd>& file,
                     std::uint64_t offset, std::uint64_t size, const std::set<std::string>& except,
                     TarWriter& tar);

inline constexpr std::uint64_t max_squashfs_members = 20'000'000;
inline constexpr std::uint64_t max_squashfs_size = std::uint64_t{1} << 40;

}  // namespace lade::archive
