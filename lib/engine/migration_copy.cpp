#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.hpp"
#include "copy/copy.hpp"
#include "engine/migration_images.hpp"
#include "io/readers.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "store/ids.hpp"
#include "transport/transports.hpp"

namespace lade::engine {

namespace {

using PlaceKind = MigrationPlace::Kind;

// A layer of these bytes that can be read again byte for byte.
bool has_content(const Context& context, const store::Store& store, const spec::Digest& diff_id) {
  return std::ranges::any_of(store.layers_with_digest(context, diff_id),
                             [&](const store::LayerRecord& layer) {
                               return layer.diff_digest == diff_id && store.has_tar_split(layer.id);
                             });
}

store::ImageLayer copy_layer(const Context& context, const store::Store& from, store::Store& to,
                             const store::LayerRecord& layer) {
  if (!layer.diff_digest)
    throw Error(Kind::unsupported, fmt::format("layer {} has no uncompressed digest", layer.id));
  store::ImageLayer result{*layer.diff_digest, nullptr, blob_of(layer)};
  if (has_content(context, to, *layer.diff_digest)) return result;
  in_context([&] { return fmt::format("layer {}", layer.id); },
             [&] {
               const auto tar = from.open_diff(context, layer.id);
               std::optional<std::uint64_t> size;
               if (layer.diff_size >= 0) size = static_cast<std::uint64_t>(layer.diff_size);
               io::VerifyingReader verified(*tar, *layer.diff_digest, size);
               result.pending = to.unpack(context, verified);
             });
  return result;
}

std::vector<store::BigDataItem> documents_of(const Context& context, const store::Store& from,
                                             const store::ImageRecord& image) {
  std::vector<store::BigDataItem> result;
  for (const std::string& key : image.big_data.names) {
    const auto digest = image.big_data.digests.find(key);
    result.push_back(
        {key, from.image_big_data(context, image.id, key),
         digest == image.big_data.digests.end() ? std::nullopt : spec::Digest::try_parse(digest->second)});
  }
  return result;
}

// A store puts a name that is added before the others.
std::vector<std::string> oldest_first(std::vector<std::string> names) {
  std::ranges::reverse(names);
  return names;
}

// What an image that is there lacks.
void complete_image(const Context& context, const store::Store& from, store::Store& to,
                    const store::ImageRecord& image) {
  for (const auto& item : documents_of(context, from, image)) to.set_image_big_data(context, image.id, item);
  to.set_image_metadata(context, image.id, image.metadata);
  to.add_names(context, image.id, oldest_first(image.names));
}

std::string name_in(const MigrationPlace& to, const std::string& name) {
  switch (to.kind) {
    case PlaceKind::store: return "containers-storage:" + name;
    case PlaceKind::daemon: return "docker-daemon:" + name;
    case PlaceKind::layout: return "oci:" + to.directory + ":" + name;
  }
  return "";
}

std::string id_at_store(const MigratingImage& image) {
  return image.record || !image.config ? image.id : image.config->hex();
}

void read_verified(const Context& context, transport::ImageSource& source, const spec::Descriptor& blob) {
  const auto content = source.blob(context, blob);
  io::VerifyingReader verified(*content.reader, blob.digest, blob.size);
  std::vector<std::byte> buffer(io::chunk_size);
  while (verified.read(buffer) > 0) context.throw_if_stopped();
}

void verify_image(const Context& context, transport::ImageSource& source, const spec::RawManifest& raw) {
  if (raw.media_type != spec::media_type::oci_manifest && raw.media_type != spec::media_type::docker_manifest)
    return;
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  read_verified(context, source, manifest.config());
  const auto stored = source.stored_layers(context, manifest);
  for (const auto& layer : stored ? *stored : manifest.layers()) read_verified(context, source, layer);
}

}  // namespace

void copy_between_stores(const Context& context, const store::Store& from, store::Store& to,
                         const MigratingImage& image, std::size_t jobs) {
  const store::ImageRecord& record = image.record.value();
  if (const auto there = to.find_image(context, record.id); there && there->id == record.id)
    return complete_image(context, from, to, record);
  const auto chain = from.chain(context, record.layer);
  std::vector<std::optional<store::ImageLayer>> layers(chain.size());
  std::set<spec::Digest> seen;
  std::vector<std::size_t> distinct;
  for (std::size_t i = 0; i < chain.size(); ++i)
    if (!chain[i].diff_digest || seen.insert(*chain[i].diff_digest).second) distinct.push_back(i);
  parallel_for(context, distinct.size(), jobs, [&](const Context& inner, std::size_t i) {
    layers[distinct[i]] = copy_layer(inner, from, to, chain[distinct[i]]);
  });
  store::NewImage fresh;
  fresh.id = record.id;
  fresh.names = oldest_first(record.names);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto first = std::ranges::find(chain, chain[i].diff_digest, &store::LayerRecord::diff_digest);
    fresh.layers.push_back(*layers[static_cast<std::size_t>(first - chain.begin())]);
  }
  fresh.big_data = documents_of(context, from, record);
  fresh.metadata = record.metadata;
  fresh.created = record.created;
  fresh.manifest = spec::Digest::try_parse(record.digest);
  to.put_image(context, fresh);
}

void copy_by_transports(const Context& context, const trust::PolicyContext& policy,
                        const MigrationPlace& from, const MigrationPlace& to, const MigratingImage& image,
                        std::size_t jobs) {
  const auto source = transport::parse_image_name(image.source);
  copy::CopyOptions options;
  options.source = from.options;
  options.destination = to.options;
  options.parallel_copies = static_cast<unsigned>(jobs);
  // Only stores have a place for them.
  options.remove_signatures = to.kind != PlaceKind::store;
  if (to.kind == PlaceKind::layout) options.instances = copy::CopyOptions::Instances::all;
  auto names = names_at(to, image);
  std::vector<std::string> more;
  if (to.kind == PlaceKind::store) {
    // One copy; a store gives an image any number of names.
    names = oldest_first(std::move(names));
    if (names.size() > 1) more.assign(names.begin() + 1, names.end());
    names.resize(std::min<std::size_t>(names.size(), 1));
    if (names.empty()) names.push_back("@" + id_at_store(image));
  }
  for (const std::string& name : names)
    copy::copy_image(context, policy, *source, *transport::parse_image_name(name_in(to, name)), options);
  if (more.empty()) return;
  const auto store = store::Store::open(context, *to.options.store);
  const auto there = store->find_image(context, names.front());
  if (there) store->add_names(context, there->id, more);
}

void verify_at(const Context& context, const MigrationPlace& to, const MigratingImage& image) {
  in_context("verifying the copy", [&] {
    if (presence_of(context, to, image) != Presence::whole)
      throw Error(Kind::not_found, "it is not where it was copied to");
    const std::string name = to.kind == PlaceKind::store ? "containers-storage:@" + id_at_store(image)
                                                         : name_in(to, names_at(to, image).front());
    const auto source = transport::parse_image_name(name)->open_source(context, to.options);
    const auto raw = source->manifest(context, std::nullopt);
    verify_image(context, *source, raw);
  });
}

std::string remove_migrated(const Context& context, const MigrationPlace& from, const MigratingImage& image) {
  if (from.kind == PlaceKind::layout) {
    // Positions change while entries go: by name, where there is one.
    if (image.names.empty()) return "it has no name to remove it by";
    for (const std::string& name : image.names)
      transport::parse_image_name("oci:" + from.directory + ":" + name)->remove(context, from.options);
    return "";
  }
  const auto store = store::Store::open(context, *from.options.store);
  for (const auto& container : store->containers(context))
    if (container.image == image.id) return fmt::format("container {} uses it", container.id);
  store->delete_image(context, image.id);
  return "";
}

}  // namespace lade::engine
