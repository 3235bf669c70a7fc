// The directories of the overlay driver: names, links and chains of lower layers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/layout.hpp"

namespace lade::store {

// Looks in several homes: the store's, its image store's, those of additional stores.
class OverlayHomes {
 public:
  explicit OverlayHomes(std::vector<Path> homes) : homes_(std::move(homes)) {}

  const std::vector<Path>& homes() const { return homes_; }
  // "<home>/<id>"; nullopt if no home has it.
  std::optional<Path> find(std::string_view id) const;
  Path directory(std::string_view id) const;  // Kind::not_found

  // IDs of the layers below `id`, nearest first: "lower-layers", or "lower" through the links.
  std::vector<std::string> lower_ids(std::string_view id) const;

  // What a child of `id` has to write into "lower" and "lower-layers". Kind::unsupported for more than 500.
  struct Chain {
    std::string lower, lower_layers;
  };
  Chain chain_above(const std::string& id) const;

  // The diff directories of one layer: "diff", and "diff1", "diff2", ... of a copy for another user
  // namespace.
  std::vector<Path> diffs(std::string_view id) const;

 private:
  std::string resolve_link(const std::string& link) const;

  std::vector<Path> homes_;
};

// Kind::unsupported if lade does not know how to read such a layer (composefs, additional layer stores).
void check_readable(const Path& layer_directory);

// The format that an overlay directory without ".has-mount-program" is in: true if it holds what only
// fuse-overlayfs understands.
bool needs_mount_program(const Path& home);

}  // namespace lade::store
