// Archives that hold images: a file is read in place, everything else is spooled first.
#pragma once

#include <memory>
#include <string>

#include "archive/tar_index.hpp"
#include "base/context.hpp"
#include "os/unique_fd.hpp"

namespace lade::transport {

// Reads the table of contents of the archive at `path`; errors name it.
archive::TarIndex open_archive(const Context& context, const std::string& path, const std::string& spool_dir,
                               archive::TarIndex::Duplicates duplicates);

// An uncompressed tar that can be read at any place: `path` itself if it is a regular, uncompressed file;
// else its plain bytes (gzip, bzip2, xz, zstd are recognised by their magic) in an unnamed file in
// `spool_dir`.
std::shared_ptr<const os::UniqueFd> open_plain_tar(const Context& context, const std::string& path,
                                                   const std::string& spool_dir);

// The plain bytes of a stream, in an unnamed file in `spool_dir`.
std::shared_ptr<const os::UniqueFd> spool_plain_tar(const Context& context,
                                                    std::unique_ptr<io::Reader> stream,
                                                    const std::string& spool_dir);

}  // namespace lade::transport
