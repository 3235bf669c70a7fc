// Unpacks a layer in one pass: reading, unpacking, and hashing with tar-split run in threads of their own and
// hand each other buffers. containers-storage on disk: whiteouts, attributes and owners as its overlay and
// vfs drivers leave them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "io/stream.hpp"
#include "layer/file_clones.hpp"
#include "layer/id_maps.hpp"
#include "os/unique_fd.hpp"
#include "spec/digest.hpp"

namespace lade::layer {

// What a ".wh." entry of the tar becomes: a 0/0 character device or an opaque attribute of its directory; a
// file of that name (fuse-overlayfs as mount_program); a removal of what the parent layers put there (vfs); a
// name like any other, for tars that are no layers.
enum class Whiteouts { overlay, files, remove, none };

struct ApplyOptions {
  Whiteouts whiteouts = Whiteouts::overlay;
  std::string opaque_xattr = "trusted.overlay.opaque";  // "user.overlay.opaque" when rootless
  IdMaps ids;
  bool rootless = false;  // devices are skipped, EPERM of extended attributes is ignored
  bool ignore_chown_errors = false;
  std::uint64_t max_size = UINT64_MAX;  // bytes of tar; also of a sparse file with its holes
  std::uint64_t max_entries = 10'000'000;
  FileClones* clones = nullptr;     // of the reader of the tar; not owned
  io::Writer* tar_split = nullptr;  // gets the .tar-split.gz, once the rest is done; not owned
};

struct AppliedLayer {
  spec::Digest diff_id;
  std::uint64_t size = 0;                 // of the tar, to its last byte
  std::vector<std::uint32_t> uids, gids;  // of the entries but whiteouts, before mapping; sorted, each once
};

// Unpacks the uncompressed `tar` into `directory`: empty, or the parent's copy for Whiteouts::remove, or any
// for Whiteouts::none. Names,
// links and whiteouts resolve as if it were "/"; nothing outside is touched, whatever the tar says. Nothing
// else may change the directory meanwhile. What was unpacked stays there when an error is thrown.
// `tar` is read in the calling thread. Memory: below 16 MiB, plus 16 bytes an entry with tar_split or
// Whiteouts::remove. Kind::invalid_input for a tar that is none, or is over a limit.
AppliedLayer apply(const Context& context, io::Reader& tar, const os::UniqueFd& directory,
                   const ApplyOptions& options);

}  // namespace lade::layer
