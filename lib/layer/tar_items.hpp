// Files of a tree as members of a tar.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "archive/tar_header.hpp"
#include "io/stream.hpp"
#include "layer/diff.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

struct TarItem {
  archive::TarHeader header;
  os::UniqueFd content;  // open if header.size > 0
};

// A name in an open directory, and what lies under it.
struct Found {
  const os::UniqueFd& parent;
  const std::string& name;
  const std::string& path;  // from the root
  struct ::stat stat;
};

class TarItems {
 public:
  explicit TarItems(const DiffOptions& options) : options_(options) {}

  // Hard links to what was handed out before become such. nullopt for sockets. `opaque`, if not null, gets
  // whether a directory hides what is below it.
  std::optional<TarItem> make(const Found& found, bool* opaque = nullptr);
  // An empty ".wh." file in the place of a device.
  TarItem whiteout(const std::string& path, const struct ::stat* device) const;
  // The marker in a directory.
  TarItem opaque_marker(const archive::TarHeader& directory) const;

 private:
  void set_owner(archive::TarHeader& header, const struct ::stat& stat) const;
  archive::TarTime mtime_of(const struct ::stat& stat) const;

  const DiffOptions& options_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;
};

// Extended attributes that belong into a layer, as pax records. Kind::unsupported for what overlay moved
// elsewhere. `opaque`, if not null, gets whether the directory hides what is below.
archive::PaxRecords xattrs_of(const Found& found, bool* opaque = nullptr);
std::string link_target(const Found& found);

// The bytes of the tar, item by item.
class TarItemReader final : public io::Reader {
 public:
  // nullopt at the end.
  using Next = std::function<std::optional<TarItem>()>;
  explicit TarItemReader(Next next) : next_(std::move(next)) {}
  std::size_t read(io::Buffer buffer) override;

 private:
  bool advance();
  std::size_t read_content(io::Buffer buffer);

  Next next_;
  TarItem item_;
  std::string pending_;  // headers and padding
  std::size_t position_ = 0;
  std::uint64_t left_ = 0;
  bool ended_ = false;
};

}  // namespace lade::layer
