#include <algorithm>
#include <functional>

#include "os/remove_tree.hpp"
#include "store/check_parts.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

using Mend = Finding::Mend;
using Remedy = Finding::Remedy;

bool may_mend(const Finding& finding, bool force) {
  return finding.mend == Mend::plain || (finding.mend == Mend::by_force && force);
}

// One thing that cannot be mended does not hinder the others.
void attempt(const Context& context, const Finding& finding, const std::function<void()>& mend) {
  try {
    mend();
  } catch (const Error& error) {
    context.log.warning(std::string(name_of(finding.object)) + " " + finding.id + ": " + error.what());
  }
}

}  // namespace

// Knows the inside of the store, as the parts of Store do.
class Store::Repair {
 public:
  Repair(const Context& context, Store& store, bool force, const std::vector<Finding>& findings)
      : context_(context), store_(store), impl_(*store.impl_), force_(force), findings_(findings) {}

  void run() {
    remove_images();
    for (const auto& layer : store_.layers(context_)) known_layers_.insert(layer.id);
    LayerChanges layers(impl_, context_);
    auto images = impl_.records->write_images(context_);
    auto containers = impl_.records->write_containers(context_);
    // From here on the store is asked nothing: its own locks would keep it waiting.
    write_records(layers, images, containers);
    remove_paths(layers.table(), images.table(), containers.table());
    write_all_links(layers.table());
    remove_layers(layers, images.table(), containers.table());
    forget_mounts();
  }

 private:
  void each(Remedy remedy, const std::function<void(const Finding&)>& mend) {
    for (const Finding& finding : findings_)
      if (finding.remedy == remedy && may_mend(finding, force_))
        attempt(context_, finding, [&] { mend(finding); });
  }

  // Refused for those that a container uses.
  void remove_images() {
    each(Remedy::remove_image, [&](const Finding& finding) {
      if (store_.find_image(context_, finding.id)) store_.delete_image(context_, finding.id);
    });
  }

  // Reading drops second records and moves names: they only have to be written.
  void write_records(LayerChanges& layers, Writing<ImageRecord>& images,
                     Writing<ContainerRecord>& containers) {
    each(Remedy::write_records, [&](const Finding& finding) {
      if (layers.table().find_entry(finding.id) != nullptr) layers.table().edit(finding.id);
      if (containers.table().find_entry(finding.id) != nullptr) containers.table().edit(finding.id);
      if (images.table().find_entry(finding.id) == nullptr) return;
      std::erase_if(images.table().edit(finding.id).mapped_layers, [&](const std::string& id) {
        return layers.table().find_entry(id) == nullptr && !known_layers_.contains(id);
      });
    });
    rewrite_doubles(layers.table(), containers.table());
    layers.save();
    images.save();
    containers.save();
  }

  // The record that counts is in another file than the one that has to go.
  void rewrite_doubles(LayerTable& layers, ContainerTable& containers) {
    const auto touch = [&](auto& table, const Path& file) {
      for (const auto& entry : table.entries())
        if (entry.place == Place::volatile_file) return (void)table.edit(entry.record.id);
      // No record is left in it.
      write_json_array(file, {}, false);
    };
    each(Remedy::write_records, [&](const Finding& finding) {
      if (finding.path == impl_.layout.volatile_layers_file()) touch(layers, finding.path);
      if (finding.path == impl_.layout.containers_records() / "volatile-containers.json")
        touch(containers, finding.path);
    });
  }

  // Nothing may have come to need it since it was found.
  static bool is_known(const Path& path, const LayerTable& layers, const ImageTable& images,
                       const ContainerTable& containers) {
    std::string id = path.filename();
    id.resize(std::min(id.find('.'), id.size()));
    return layers.find_entry(id) != nullptr || images.find_entry(id) != nullptr ||
           containers.find_entry(id) != nullptr;
  }

  void remove_paths(const LayerTable& layers, const ImageTable& images, const ContainerTable& containers) {
    each(Remedy::remove_path, [&](const Finding& finding) {
      if (!is_known(finding.path, layers, images, containers)) os::remove_tree(finding.path);
    });
  }

  static std::size_t depth_of(const LayerTable& layers, std::string id) {
    std::size_t depth = 0;
    while (!id.empty() && depth <= layers.entries().size()) {
      const auto* entry = layers.find_entry(id);
      id = entry == nullptr ? "" : entry->record.parent;
      ++depth;
    }
    return depth;
  }

  // Parents first: a chain is made of the one below it.
  void write_all_links(const LayerTable& layers) {
    const OverlayHomes homes(overlay_homes(store_));
    std::vector<std::pair<std::size_t, const Finding*>> by_depth;
    each(Remedy::write_links, [&](const Finding& finding) {
      if (layers.find(finding.id) != nullptr) by_depth.emplace_back(depth_of(layers, finding.id), &finding);
    });
    std::ranges::stable_sort(by_depth, {}, [](const auto& one) { return one.first; });
    for (const auto& [depth, finding] : by_depth) {
      attempt(context_, *finding, [&, &wrong = *finding] {
        const auto* entry = layers.find_entry(wrong.id);
        const bool of_image_store = entry->place == Place::image_store;
        write_links(of_image_store ? impl_.layout.image_home() : impl_.layout.home(), homes, entry->record);
      });
    }
  }

  void remove_layers(LayerChanges& layers, const ImageTable& images, const ContainerTable& containers) {
    // Those above go before those below them: until nothing goes any more.
    bool some_went = true;
    while (some_went) {
      some_went = false;
      each(Remedy::remove_layer, [&](const Finding& finding) {
        if (layers.table().find(finding.id) == nullptr) return;
        if (layers.unneeded(finding.id, images, containers).empty()) return;
        layers.remove({finding.id});
        some_went = true;
      });
    }
  }

  void forget_mounts() {
    each(Remedy::forget_mount, [&](const Finding& finding) { impl_.forget_mounts(context_, finding.id); });
  }

  const Context& context_;
  Store& store_;
  Store::Impl& impl_;
  bool force_;
  const std::vector<Finding>& findings_;
  std::set<std::string> known_layers_;  // of additional stores too
};

void repair_store(const Context& context, const config::StoreOptions& options, bool force,
                  std::vector<Finding>& findings) {
  const auto is_mendable = [&](const Finding& finding) { return may_mend(finding, force); };
  if (std::ranges::none_of(findings, is_mendable)) return;
  {
    // What crashed programs left goes when the store is opened.
    const auto store = Store::open(context, options);
    Store::Repair(context, *store, force, findings).run();
  }
  const auto left = check_store(context, options, {.quick = true});
  const auto store = Store::open(context, options, Store::Access::read_only);
  const auto is_found_again = [&](const Finding& finding) {
    return std::ranges::any_of(left, [&](const Finding& other) { return other.is_same(finding); });
  };
  const auto is_there = [&](const Finding& finding) {
    if (finding.remedy == Remedy::remove_layer) return store->find_layer(context, finding.id).has_value();
    if (finding.remedy == Remedy::remove_image) return store->find_image(context, finding.id).has_value();
    return false;
  };
  for (Finding& finding : findings)
    if (is_mendable(finding)) finding.mended = !is_found_again(finding) && !is_there(finding);
  for (const Finding& finding : left) {
    const bool is_known =
        std::ranges::any_of(findings, [&](const Finding& other) { return other.is_same(finding); });
    if (!is_known) findings.push_back(finding);
  }
}

}  // namespace lade::store
