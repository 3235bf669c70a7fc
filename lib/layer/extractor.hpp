// The unpacking part of apply(): members of a tar to files of a directory.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/name_set.hpp"
#include "archive/tar_reader.hpp"
#include "base/context.hpp"
#include "base/error.hpp"
#include "layer/apply.hpp"
#include "layer/attributes.hpp"
#include "layer/chunks.hpp"
#include "layer/deferred.hpp"
#include "layer/removal.hpp"
#include "layer/replaced.hpp"
#include "layer/tree.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

// Each number once, however often it is added; memory in proportion to the different ones.
class IdSet {
 public:
  void add(std::uint32_t id) {
    if (!ids_.empty() && ids_.back() == id) return;
    ids_.push_back(id);
    if (ids_.size() >= next_sort_) next_sort_ = 2 * sorted().size() + 1024;
  }
  const std::vector<std::uint32_t>& sorted();

 private:
  std::vector<std::uint32_t> ids_;
  std::size_t next_sort_ = 1024;
};

class Extractor {
 public:
  // Nothing is owned. `exactly`: the calling thread's umask is 0. `kept` is nullptr if nothing splits the
  // tar.
  Extractor(const Context& context, const os::UniqueFd& directory, const ApplyOptions& options, bool exactly,
            ReplacedContents* kept);

  // Reads the tar to the end of the archive, unpacks it, and announces its members to `input`.
  void run(ChunkReader& input);

  IdSet uids, gids;

 private:
  using Header = archive::TarHeader;
  // Where an entry goes.
  struct Target {
    std::string path;
    std::string name;  // "." for the root
    const Tree::Directory* parent = nullptr;
    Place place() const { return {parent->fd.get(), name, path}; }
  };

  void extract(const archive::TarEntry& entry);
  void extract_at(Target& target, const archive::TarEntry& entry);
  void announce(const archive::TarEntry& entry, bool through_link);

  // extractor.cpp: by type
  void add_file(Target& target, const archive::TarEntry& entry);
  void write_content(const os::UniqueFd& file, const archive::TarEntry& entry);
  void write_bytes(const os::UniqueFd& file, std::uint64_t size);
  void add_directory(Target& target, const Header& header);
  void add_symlink(Target& target, const Header& header);
  void add_hard_link(Target& target, const Header& header);
  void add_node(Target& target, const Header& header);
  void finish_directories();

  // extractor_whiteouts.cpp: what replaces, hides and removes
  bool make_missing(const Tree::Directory& parent, const std::string& name, int error);
  // Calls create() until it does not find something in the way, which is removed.
  template <class Create>
  void create(Target& target, const Create& create) {
    if (create()) return;
    if (errno != EEXIST) throw Error::from_errno(errno, "create");
    make_room(target);
    if (!create()) throw Error::from_errno(errno, "create");
  }
  // Removes what has the name. True if it was a whiteout.
  bool make_room(Target& target);
  std::string real_path(const Tree::Directory& directory) const;
  bool is_hidden(const std::string& path) const;
  void whiteout(const std::string& path, const Header& header);
  void hide_in_overlay(const Tree::Directory& parent, const std::string& name, const Header& header);
  void keep_content(const Removal& removal, const std::string& above);
  bool may_prune(const Removal& removal) const;
  void mark_own(const Target& target);

  const Context& context_;
  const ApplyOptions& options_;
  const os::UniqueFd& directory_;
  Attributes attributes_;
  DeferredDirectories deferred_;
  ReplacedContents* kept_;
  Tree tree_;
  Tree links_;  // where targets of hard links are looked for
  archive::NameSet seen_;
  archive::NameSet own_;          // names made by this layer, for Whiteouts::remove
  bool revive_whiteouts_ = true;  // a directory may be made where this layer has a whiteout
  ChunkReader* input_ = nullptr;
};

}  // namespace lade::layer
