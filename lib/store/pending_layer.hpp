// A layer that is unpacked but not yet part of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "spec/digest.hpp"
#include "store/layout.hpp"
#include "store/temp_directory.hpp"

namespace lade::store {

// Removed from disk when it is destroyed before it became part of the store.
struct PendingLayer {
  spec::Digest diff_id;
  std::uint64_t size = 0;                 // of the tar
  std::vector<std::uint32_t> uids, gids;  // in its headers

  TempDirectory files;     // where the driver keeps layers
  TempDirectory metadata;  // where tar-split files are kept
  Path content;            // directory; "" while it can only be a tar because its parent is not known
  Path tar;                // "" if it was not kept
  Path tar_split;          // "" until it was unpacked
};

}  // namespace lade::store
