// A table of contents of an uncompressed tar file that can be read at any place.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive/tar_header.hpp"
#include "base/context.hpp"
#include "io/stream.hpp"
#include "os/unique_fd.hpp"

namespace lade::archive {

// Immutable once made, so that many threads may use it.
class TarIndex {
 public:
  // Which member a name means when there are several.
  enum class Duplicates { first, last };

  // Reads all headers, without the content. Extended attributes are not kept.
  // Kind::invalid_input for an archive whose headers would take more than 512 MiB of memory.
  TarIndex(const Context& context, std::shared_ptr<const os::UniqueFd> file, Duplicates duplicates);

  // By clean_name; nullptr if there is none.
  const TarEntry* find(std::string_view name) const;
  // As find; symbolic and hard links are followed, at most eight.
  const TarEntry* find_file(std::string_view name) const;
  // Content of a regular file. The reader shares the descriptor, not its position.
  std::unique_ptr<io::Reader> open(const TarEntry& entry) const;

 private:
  std::shared_ptr<const os::UniqueFd> file_;
  std::vector<TarEntry> entries_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

}  // namespace lade::archive
