// What the parts of check_store share. Internal to store/.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/check.hpp"
#include "store/overlay_format.hpp"
#include "store/record_table.hpp"
#include "store/store.hpp"

namespace lade::store {

// All that the records say, hidden ones included, and where they contradict each other.
struct CheckedRecords {
  LayerTable layers;
  ImageTable images;
  ContainerTable containers;
  // Layers and images of additional stores.
  std::set<std::string> foreign_layers, foreign_images;

  bool knows_layer(const std::string& id) const {
    return layers.find_entry(id) != nullptr || foreign_layers.contains(id);
  }
  bool knows_image(const std::string& id) const {
    return images.find_entry(id) != nullptr || foreign_images.contains(id);
  }
};

struct Check {
  const Context& context;
  const Store& store;
  const Layout& layout;
  CheckOptions options;
  CheckedRecords records{};
  std::vector<Finding> findings{};
  std::set<std::string> damaged_layers{};  // that cannot be used as they are

  void add(Finding finding) { findings.push_back(std::move(finding)); }
  void add_layer(const std::string& id, std::string problem, const Path& path = {},
                 Finding::Mend mend = Finding::Mend::never, Finding::Remedy remedy = Finding::Remedy::none);
  // One that makes the layer, and all images on it, useless.
  void add_damage(const std::string& id, std::string problem, const Path& path = {});
  void add_orphan(const Path& path, std::string problem, Finding::Mend mend = Finding::Mend::plain);
};

// check_records.cpp: false if the records cannot be read, so that nothing else can be told.
bool read_records(Check& check);
void check_names(Check& check);
void check_layer_records(Check& check);
void check_image_records(Check& check);
void check_container_records(Check& check);

// check_files.cpp: under the locks.
void check_layer_files(Check& check);
void check_orphans(Check& check);
void check_mounts(Check& check);
// Link, symbolic link, lower files, empty directory of an overlay layer; "" or what is wrong. `expected` are
// the IDs of the layers below, nearest first.
std::string trouble_with_links(const Path& home, const OverlayHomes& homes, const LayerRecord& layer,
                               const std::vector<std::string>& expected);
// Writes them again. The layers below MUST be in order.
void write_links(const Path& home, const OverlayHomes& homes, const LayerRecord& layer);
std::vector<Path> overlay_homes(const Store& store);
// Nearest first, by the records; nullopt where copies for user namespaces make them differ from those on
// disk.
std::optional<std::vector<std::string>> expected_lowers(const CheckedRecords& records,
                                                        const LayerRecord& layer);

// check_content.cpp: without the locks.
void check_layer_contents(Check& check);
void check_image_contents(Check& check);
void check_container_contents(Check& check);

// The lowest damaged layer from `top` down; "" for none.
std::string damaged_below(const Check& check, const std::string& top);

// Images on damaged layers, and damaged layers that nothing needs.
void conclude(Check& check);

std::string read_link_text(const Path& path);  // "" if it is no symbolic link

}  // namespace lade::store
