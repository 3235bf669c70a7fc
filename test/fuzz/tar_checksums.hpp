// Mutations would otherwise hardly ever pass the check of a tar's first block.
#pragma once

#include <string>
#include <string_view>

#include "archive/tar_block.hpp"

namespace lade::fuzz {

// With the checksum of every block that looks like a header made right.
inline std::string with_checksums(std::string_view bytes) {
  std::string result;
  for (; bytes.size() >= archive::tar_block_size; bytes.remove_prefix(archive::tar_block_size)) {
    archive::TarBlock block{};
    archive::set_text(block, {0, archive::tar_block_size}, bytes);
    if (archive::raw_field(block, archive::field::magic).starts_with("ustar")) archive::set_checksum(block);
    result += io::as_text(block);
  }
  return result.append(bytes);
}

}  // namespace lade::fuzz
