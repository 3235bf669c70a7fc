// Directories back to layers, for layers without a tar-split: bytes as containers/storage makes them from the
// same directory (archive/tar of Go, pax). The tar depends on the tree only: sorted, whole seconds, no names
// of users.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "archive/tar_header.hpp"
#include "base/context.hpp"
#include "io/stream.hpp"
#include "layer/file_clones.hpp"
#include "layer/id_maps.hpp"
#include "os/root.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

struct DiffOptions {
  struct Owner {
    std::uint32_t uid = 0, gid = 0;
  };

  IdMaps ids;                         // with which the files are shifted; entries get the container's IDs
  std::optional<Owner> owner;         // of every entry, instead of what the files have
  std::optional<std::int64_t> mtime;  // seconds; of every entry, instead of what the files have
  std::optional<std::int64_t> latest_mtime;  // seconds; later times become this one
  FileClones* clones = nullptr;  // gets those of large files, for whoever unpacks the tar; not owned
  // Entries that do not come into the tar; what is in a directory is asked for by itself. Null: none.
  std::function<bool(const archive::TarHeader& entry)> leave_out;
  // The layers below, for diff() only: an opaque directory is marked if one of them has its name. nullopt:
  // each is marked.
  std::optional<std::vector<std::shared_ptr<const os::Root>>> lowers;
  // For diff() with `lowers`, the topmost first: a directory that is as it was below comes into the tar only
  // with what has changed in it.
  bool without_unchanged_directories = false;
};

// The tar of an overlay layer's own directory (of an image layer or of a container, native or of
// fuse-overlayfs): 0/0 devices become ".wh." files, opaque directories get a ".wh..wh..opq". Sockets are left
// out, the root has no entry. Memory: the names of the directories on the way to one file, and a name for
// each file with several links. Opens files as the reader gets to them: a tree that changes meanwhile gives
// either state, or Kind::integrity when a file becomes shorter while it is read. Kind::unsupported for
// directories that overlay renamed in place and files of which it copied only the attributes: those need
// diff_trees of mounts. `context` MUST outlive the reader.
std::unique_ptr<io::Reader> diff(const Context& context, const os::UniqueFd& directory, DiffOptions options);

// What turns `lower` into `upper`, two whole trees (vfs layers, mounts): what is new or differs in type,
// mode, owner, device, target, extended attributes, or, but for directories, size or time; ".wh." files for
// what is gone; and the directories on the way.
std::unique_ptr<io::Reader> diff_trees(const Context& context, const os::UniqueFd& lower,
                                       const os::UniqueFd& upper, DiffOptions options);

}  // namespace lade::layer
