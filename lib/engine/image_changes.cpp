#include "engine/image_changes.hpp"

#include <fmt/format.h>

#include <map>

#include "archive/tar_reader.hpp"
#include "layer/whiteout.hpp"

namespace lade::engine {
namespace {

using archive::TarHeader;

constexpr std::size_t max_paths = 20'000'000;

// All of a file but its content.
std::string appearance_of(const TarHeader& header) {
  std::string text = fmt::format("{} {:o} {} {} {} {}.{} {} {}:{}", static_cast<int>(header.type), header.mode,
                                 header.uid, header.gid, header.type == archive::TarType::directory ? 0 : header.size,
                                 header.mtime.seconds, header.mtime.nanoseconds, header.link, header.device_major,
                                 header.device_minor);
  for (const auto& [name, value] : header.pax)
    if (name.starts_with("SCHILY.xattr.")) text.append("\n").append(name).append("=").append(value);
  return text;
}

// The paths of a file system and what their files look like.
class Tree {
 public:
  void apply(const TarHeader& header) {
    const std::string path = archive::clean_name(header.name);
    const std::string_view base = layer::base_of(path);
    const std::string parent(layer::parent_of(path));
    if (base == layer::opaque_whiteout) return remove_below(parent);
    if (base.starts_with(layer::whiteout_meta_prefix) || path.empty()) return;
    if (layer::is_whiteout(base)) {
      const std::string name(base.substr(layer::whiteout_prefix.size()));
      return remove(parent.empty() ? name : parent + "/" + name);
    }
    if (header.type != archive::TarType::directory) remove_below(path);
    files_[path] = appearance_of(header);
    if (files_.size() > max_paths) throw Error(Kind::unsupported, "the image has too many files to compare");
  }

  const std::map<std::string, std::string>& files() const { return files_; }

 private:
  void remove(const std::string& path) {
    files_.erase(path);
    remove_below(path);
  }

  void remove_below(const std::string& path) {
    const std::string prefix = path.empty() ? "" : path + "/";
    auto at = files_.lower_bound(prefix);
    while (at != files_.end() && at->first.starts_with(prefix)) at = files_.erase(at);
  }

  std::map<std::string, std::string> files_;
};

Tree tree_of(const LocalImages& images, const std::string& top) {
  Tree tree;
  for (const auto& layer : images.store().chain(images.context(), top)) {
    const auto tar = images.store().open_diff(images.context(), layer.id);
    archive::TarReader reader(*tar);
    while (const archive::TarEntry* entry = reader.next()) {
      images.context().throw_if_stopped();
      if (entry->header.type != archive::TarType::global_pax) tree.apply(entry->header);
    }
  }
  return tree;
}

}  // namespace

std::vector<FileChange> layer_changes(const LocalImages& images, const std::string& layer,
                                      const std::string& below) {
  const Tree before = tree_of(images, below), after = tree_of(images, layer);
  std::vector<FileChange> changes;
  auto old = before.files().begin();
  auto now = after.files().begin();
  while (old != before.files().end() || now != after.files().end()) {
    const bool only_old = now == after.files().end() ||
                          (old != before.files().end() && old->first < now->first);
    const bool only_new = !only_old && (old == before.files().end() || now->first < old->first);
    if (only_old) {
      changes.push_back({FileChange::Kind::deleted, "/" + old++->first});
    } else if (only_new) {
      changes.push_back({FileChange::Kind::added, "/" + now++->first});
    } else {
      if (old->second != now->second) changes.push_back({FileChange::Kind::changed, "/" + now->first});
      ++old;
      ++now;
    }
  }
  return changes;
}

std::vector<FileChange> layer_changes(const LocalImages& images, const std::string& layer) {
  const store::LayerRecord* record = images.layer(layer);
  return layer_changes(images, layer, record == nullptr ? "" : record->parent);
}

}  // namespace lade::engine
