#include <algorithm>

#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "spec/reference.hpp"
#include "spec/time.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

// One that does not parse would make every look at the images fail, in every tool.
void check_names(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto parsed =
        in_context("image name \"" + name + "\"", [&] { return spec::Reference::parse(name); });
    if (parsed.is_name_only() || parsed.str() != name)
      throw Error(Kind::invalid_input,
                  "image name \"" + name + "\" is not a full reference with tag or digest");
  }
}

void remember_name(ImageRecord& image, const std::string& name) {
  auto& history = image.names_history;
  if (std::ranges::find(history, name) == history.end()) history.insert(history.begin(), name);
}

// From whoever has them.
void give_names(ImageTable& images, const std::string& id, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::vector<std::string> losers;
    for (const auto& [image, place] : images.entries())
      if (image.id != id && std::ranges::find(image.names, name) != image.names.end())
        losers.push_back(image.id);
    for (const auto& loser : losers) std::erase(images.edit(loser).names, name);
    const ImageRecord* image = images.find(id);
    if (std::ranges::find(image->names, name) != image->names.end()) continue;
    ImageRecord& edited = images.edit(id);
    edited.names.insert(edited.names.begin(), name);
    remember_name(edited, name);
  }
}

Error image_missing(const std::string& id) {
  return Error(Kind::image_not_found, "image " + id + " is not in the store");
}

// An image of an additional store that is to change gets a record of its own, on the same layers.
ImageRecord& editable(const Context& context, const Store::Impl& store, ImageTable& images,
                      const std::string& id) {
  if (images.find(id) != nullptr) return images.edit(id);
  for (const auto& other : store.additional) {
    const auto table = other->images(context);
    const ImageRecord* image = table->find(id);
    if (image == nullptr) continue;
    ImageRecord copy = *image;
    copy.names.clear();
    for (const auto& key : image->big_data.names) {
      const auto bytes = read_big_data(other->layout().images() / id, key, image->big_data);
      if (!bytes) throw Error(Kind::integrity, "image " + id + ": the item " + key + " has another size");
      const auto digest = image->big_data.digests.find(key);
      BigDataItem item{key, *bytes, std::nullopt};
      if (digest != image->big_data.digests.end()) item.digest = spec::Digest::try_parse(digest->second);
      write_big_data(store.layout.images() / id, item, copy.big_data);
    }
    images.add(std::move(copy), Place::stable);
    return images.edit(id);
  }
  throw image_missing(id);
}

std::string users_of(const std::string& image, const ContainerTable& containers) {
  std::string result;
  for (const auto& [container, place] : containers.entries())
    if (container.image == image) result.append(result.empty() ? "" : ", ").append(container.id);
  return result;
}

}  // namespace

std::string Store::image_big_data(const Context& context, const std::string& image,
                                  const std::string& key) const {
  // Somebody may replace record and file between our two looks.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto found = impl_->find_image(context, image);
    if (!found) throw image_missing(image);
    if (!found->record.big_data.has(key))
      throw Error(Kind::not_found, "image " + found->record.id + " has no item " + key);
    if (auto bytes =
            read_big_data(found->store->layout().images() / found->record.id, key, found->record.big_data))
      return *std::move(bytes);
  }
  throw Error(Kind::integrity, "image " + image + ": the item " + key + " does not have the recorded size");
}

void Store::add_names(const Context& context, const std::string& id, const std::vector<std::string>& names) {
  impl_->require_writable();
  check_names(names);
  auto images = impl_->records->write_images(context);
  editable(context, *impl_, images.table(), id);
  give_names(images.table(), id, names);
  images.save();
}

void Store::remove_names(const Context& context, const std::string& id,
                         const std::vector<std::string>& names) {
  impl_->require_writable();
  auto images = impl_->records->write_images(context);
  ImageRecord& image = editable(context, *impl_, images.table(), id);
  for (const auto& name : names) std::erase(image.names, name);
  images.save();
}

void Store::set_image_big_data(const Context& context, const std::string& id, const BigDataItem& item) {
  impl_->require_writable();
  auto images = impl_->records->write_images(context);
  ImageRecord& image = editable(context, *impl_, images.table(), id);
  write_big_data(impl_->layout.images() / id, item, image.big_data);
  images.save();
}

void Store::set_image_metadata(const Context& context, const std::string& id, const std::string& metadata) {
  impl_->require_writable();
  auto images = impl_->records->write_images(context);
  editable(context, *impl_, images.table(), id).metadata = metadata;
  images.save();
}

std::vector<std::string> Store::delete_image(const Context& context, const std::string& id) {
  impl_->require_writable();
  LayerChanges layers(*impl_, context);
  auto images = impl_->records->write_images(context);
  auto containers = impl_->records->write_containers(context);
  const ImageRecord* found = images->find(id);
  if (found == nullptr) {
    for (const auto& other : impl_->additional)
      if (other->images(context)->find(id) != nullptr)
        throw Error(Kind::unsupported, "image " + id + " is in a read-only store");
    throw image_missing(id);
  }
  if (const auto users = users_of(id, containers.table()); !users.empty())
    throw Error(Kind::invalid_input, "image is in use by a container: " + users);
  const ImageRecord image = *found;

  // First what refers, then what is referred to: a crash in between leaves layers that nobody needs.
  images->remove(id);
  images.save();
  os::remove_tree(impl_->layout.images() / id);
  std::vector<std::string> removed;
  auto tops = image.mapped_layers;
  tops.push_back(image.layer);
  for (const auto& top : tops) {
    const auto unneeded = layers.unneeded(top, images.table(), containers.table());
    if (unneeded.empty()) continue;
    layers.remove(unneeded);
    removed.insert(removed.end(), unneeded.begin(), unneeded.end());
  }
  return removed;
}

namespace {

void update_image(const Layout& layout, const NewImage& source, ImageRecord& image) {
  for (const auto& item : source.big_data) write_big_data(layout.images() / image.id, item, image.big_data);
  image.metadata = source.metadata;
  if (image.digest.empty() && source.manifest) image.digest = source.manifest->str();
}

}  // namespace

void check_image(const NewImage& image) {
  check_names(image.names);
  if (!is_id(image.id)) throw Error(Kind::invalid_input, "\"" + image.id + "\" is not an image ID");
  for (const auto& item : image.big_data) big_data_file_name(item.key);
}

ImageRecord write_image_record(const Context& context, const Store::Impl& store, const NewImage& source,
                               const std::string& top) {
  auto images = store.records->write_images(context);
  if (const ImageRecord* known = images->find(source.id); known == nullptr) {
    ImageRecord image;
    image.id = source.id;
    image.layer = top;
    const auto now = format_time(context.clock.now());
    image.created = spec::normalize_time(source.created).value_or(now);
    update_image(store.layout, source, image);
    images->add(std::move(image), Place::stable);
  } else {
    if (known->layer != top)
      throw Error(Kind::already_exists, "image " + source.id + " is in the store with the top layer \"" +
                                            known->layer + "\", not \"" + top + "\"");
    update_image(store.layout, source, images->edit(source.id));
  }
  give_names(images.table(), source.id, source.names);
  images.save();
  return *images->find(source.id);
}

}  // namespace lade::store
