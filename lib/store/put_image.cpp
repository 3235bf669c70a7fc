#include <set>

#include "io/readers.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"
#include "store/unpacking.hpp"

namespace lade::store {

namespace {

struct PlannedLayer {
  std::string id, parent;
  const ImageLayer* source;
  std::shared_ptr<PendingLayer> pending;  // nullptr: the store has it
};

Error layer_vanished(const std::string& id) {
  return Error(Kind::unavailable, "layer " + id + " was removed from the store meanwhile");
}

// Finds out which layers are missing, and has the content of each ready. Without locks.
class ImagePlan {
 public:
  ImagePlan(const Context& context, const Store::Impl& store, const NewImage& image)
      : context_(context), store_(store) {
    std::string parent;
    for (const auto& layer : image.layers) {
      planned_.push_back({layer_id(parent, layer.diff_id), parent, &layer, nullptr});
      PlannedLayer& planned = planned_.back();
      if (!is_there(planned.id)) prepare(planned);
      parent = planned.id;
    }
  }

  const std::vector<PlannedLayer>& layers() const { return planned_; }
  std::string top() const { return planned_.empty() ? "" : planned_.back().id; }

 private:
  bool is_there(const std::string& id) const {
    for (const RecordStore* store : store_.all())
      if (store->layers(context_)->find(id) != nullptr) return true;
    return false;
  }

  void prepare(PlannedLayer& planned) {
    planned.pending = planned.source->pending;
    if (!planned.pending) planned.pending = copy_of_layer(planned.source->diff_id);
    // One image may hold the same layer twice.
    if (!taken_.insert(planned.pending.get()).second) {
      planned.pending = unpack(*open_pending(*planned.pending), planned.source->diff_id);
      taken_.insert(planned.pending.get());
    }
    if (planned.pending->diff_id != planned.source->diff_id)
      throw Error(Kind::invalid_input, "the layer is " + planned.pending->diff_id.str() + ", not " +
                                           planned.source->diff_id.str());
    unpack_on_parent(context_, store_, *planned.pending, files_of_parent(planned));
  }

  Path files_of_parent(const PlannedLayer& planned) const {
    if (planned.parent.empty() || store_.driver->format().stands_alone) return {};
    for (const auto& other : planned_)
      if (other.id == planned.parent && other.pending) return other.pending->content;
    return store_.driver->content_directories(planned.parent).front();
  }

  // The same content on another parent.
  std::shared_ptr<PendingLayer> copy_of_layer(const spec::Digest& diff_id) const {
    for (const RecordStore* store : store_.all()) {
      const auto table = store->layers(context_);
      for (const auto& [layer, place] : table->entries())
        if (!is_hidden(layer) && layer.diff_digest == diff_id)
          return unpack(*store_.open_diff(context_, layer.id), diff_id);
    }
    throw layer_vanished(diff_id.str());
  }

  std::shared_ptr<PendingLayer> unpack(io::Reader& tar, const spec::Digest& diff_id) const {
    io::VerifyingReader verified(tar, diff_id, std::nullopt);
    return store_.unpack(context_, verified);
  }

  const Context& context_;
  const Store::Impl& store_;
  std::vector<PlannedLayer> planned_;
  std::set<const PendingLayer*> taken_;
};

LayerRecord record_of(const Context& context, const PlannedLayer& planned) {
  LayerRecord record;
  record.id = planned.id;
  record.parent = planned.parent;
  record.created = format_time(context.clock.now());
  record.diff_digest = planned.source->diff_id;
  record.diff_size = static_cast<std::int64_t>(planned.pending->size);
  if (const auto& toc = planned.source->toc) {
    record.toc_digest = toc->digest;
    for (const auto& item : toc_items(*toc)) record.big_data_names.push_back(item.key);
  } else if (const auto& blob = planned.source->blob) {
    record.compressed_digest = blob->digest;
    record.compressed_size = static_cast<std::int64_t>(blob->size);
    record.compression = compression_number(blob->compression);
  } else {
    record.compressed_digest = record.diff_digest;
    record.compressed_size = record.diff_size;
  }
  record.uids = planned.pending->uids;
  record.gids = planned.pending->gids;
  return record;
}

}  // namespace

bool Store::Impl::has_layer(const Context& context, const LayerTable& own, const std::string& id) const {
  if (own.find(id) != nullptr) return true;
  for (const auto& store : additional)
    if (store->layers(context)->find(id) != nullptr) return true;
  return false;
}

ImageRecord Store::put_image(const Context& context, const NewImage& image) {
  impl_->require_writable();
  check_image(image);
  const ImagePlan plan(context, *impl_, image);
  context.throw_if_stopped();

  LayerChanges layers(*impl_, context);
  std::vector<LayerChanges::Addition> additions;
  for (const auto& planned : plan.layers()) {
    // Somebody else may have been faster, or have removed what we counted on.
    if (impl_->has_layer(context, layers.table(), planned.id)) continue;
    if (!planned.pending) throw layer_vanished(planned.id);
    additions.push_back({record_of(context, planned), impl_->place_of_layer(true, false),
                         planned.pending->content, planned.pending->tar_split,
                         planned.source->toc ? toc_items(*planned.source->toc) : std::vector<BigDataItem>()});
  }
  if (!additions.empty()) layers.add(additions);
  return write_image_record(context, *impl_, image, plan.top());
}

}  // namespace lade::store
