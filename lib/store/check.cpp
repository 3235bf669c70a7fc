#include "store/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/check_parts.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

using Mend = Finding::Mend;
using Object = Finding::Object;
using Remedy = Finding::Remedy;

constexpr std::size_t seconds_size = 19;  // of "2026-01-02T03:04:05"

// Layers that a container needs, its image's too.
std::set<std::string> layers_of_containers(const CheckedRecords& records) {
  std::set<std::string> result;
  for (const auto& [container, place] : records.containers.entries()) {
    for (std::string id = container.layer; !id.empty() && result.insert(id).second;) {
      const auto* entry = records.layers.find_entry(id);
      id = entry == nullptr ? "" : entry->record.parent;
    }
  }
  return result;
}

bool has_container(const CheckedRecords& records, const std::string& image) {
  return std::ranges::any_of(records.containers.entries(),
                             [&](const auto& entry) { return entry.record.image == image; });
}

std::set<std::string> layers_of_images(const CheckedRecords& records) {
  std::set<std::string> result;
  for (const auto& [image, place] : records.images.entries()) {
    result.insert(image.mapped_layers.begin(), image.mapped_layers.end());
    for (std::string id = image.layer; !id.empty() && result.insert(id).second;) {
      const auto* entry = records.layers.find_entry(id);
      id = entry == nullptr ? "" : entry->record.parent;
    }
  }
  return result;
}

struct StructureLocks {
  StructureLocks(const Context& context, const Layout& layout)
      : layers(StoreLock::of_read_only(context, layout.layers() / "layers.lock")),
        images(StoreLock::of_read_only(context, layout.images() / "images.lock")),
        containers(StoreLock::of_read_only(context, layout.containers_records() / "containers.lock")) {}
  StoreLock layers, images, containers;
};

std::vector<Finding> in_order(std::vector<Finding> findings) {
  std::ranges::stable_sort(findings, {}, [](const Finding& finding) { return finding.object; });
  return findings;
}

}  // namespace

std::string_view name_of(Object object) {
  switch (object) {
    case Object::store: return "store";
    case Object::layer: return "layer";
    case Object::image: return "image";
    case Object::container: return "container";
  }
  return "";
}

std::string_view words_of(Remedy remedy) {
  switch (remedy) {
    case Remedy::none: return "";
    case Remedy::recover: return "what is left of it is removed";
    case Remedy::remove_path: return "it is removed";
    case Remedy::write_links: return "its links are written again";
    case Remedy::write_records: return "the records are written without that";
    case Remedy::forget_mount: return "the mount is forgotten";
    case Remedy::remove_layer: return "the layer is removed";
    case Remedy::remove_image: return "the image is removed";
  }
  return "";
}

std::string damaged_below(const Check& check, const std::string& top) {
  std::string found;
  std::set<std::string> seen;
  for (std::string id = top; !id.empty() && seen.insert(id).second;) {
    if (check.damaged_layers.contains(id)) found = id;
    const auto* entry = check.records.layers.find_entry(id);
    id = entry == nullptr ? "" : entry->record.parent;
  }
  return found;
}

namespace {

// Those that crashed programs of other makes left.
void find_unneeded_layers(Check& check, const std::set<std::string>& needed) {
  const std::string limit =
      format_time(check.context.clock.now() - check.options.unneeded_age).substr(0, seconds_size);
  for (const auto& [layer, place] : check.records.layers.entries()) {
    const bool is_utc = layer.created.size() > seconds_size && layer.created.ends_with('Z');
    if (layer.is_incomplete() || needed.contains(layer.id) || !is_utc) continue;
    if (layer.created.substr(0, seconds_size) < limit && !check.damaged_layers.contains(layer.id))
      check.add_layer(layer.id, "no image or container needs it", {}, Mend::plain, Remedy::remove_layer);
  }
}

}  // namespace

void conclude(Check& check) {
  for (const auto& [image, place] : check.records.images.entries()) {
    const std::string damaged = damaged_below(check, image.layer);
    if (!damaged.empty())
      check.add({.object = Object::image,
                 .id = image.id,
                 .names = image.names,
                 .problem = fmt::format("its layer {} is damaged", damaged),
                 .mend = Mend::by_force,
                 .remedy = Remedy::remove_image});
    if (!has_container(check.records, image.id)) continue;
    for (Finding& finding : check.findings) {
      if (finding.remedy != Remedy::remove_image || finding.id != image.id) continue;
      finding.problem += " (a container uses the image)";
      finding.mend = Mend::never;
      finding.remedy = Remedy::none;
    }
  }
  const auto of_images = layers_of_images(check.records);
  const auto of_containers = layers_of_containers(check.records);
  std::set<std::string> needed = of_images;
  needed.insert(of_containers.begin(), of_containers.end());
  find_unneeded_layers(check, needed);
  for (Finding& finding : check.findings) {
    if (finding.object != Object::layer || !check.damaged_layers.contains(finding.id)) continue;
    if (of_containers.contains(finding.id)) continue;
    // With the images that need it, which takes force.
    finding.mend = of_images.contains(finding.id) ? Mend::by_force : Mend::plain;
    finding.remedy = Remedy::remove_layer;
  }
}

std::vector<Finding> check_store(const Context& context, const config::StoreOptions& options,
                                 const CheckOptions& chosen) {
  const auto store = Store::open(context, options, Store::Access::read_only);
  Check check{context, *store, store->layout(), chosen};
  {
    const StructureLocks locks(context, check.layout);
    if (!read_records(check)) return check.findings;
    check_names(check);
    check_layer_records(check);
    check_image_records(check);
    check_container_records(check);
    check_layer_files(check);
    check_orphans(check);
    check_mounts(check);
  }
  check_image_contents(check);
  check_container_contents(check);
  if (!chosen.quick) check_layer_contents(check);
  conclude(check);
  return in_order(std::move(check.findings));
}

}  // namespace lade::store
