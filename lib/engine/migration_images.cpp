#include "engine/migration_images.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/readers.hpp"
#include "os/file.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "spec/reference.hpp"
#include "store/ids.hpp"
#include "transport/docker_daemon/docker_daemon.hpp"
#include "transport/oci/layout_index.hpp"
#include "transport/transports.hpp"

namespace lade::engine {

namespace {

using Kind_of_place = MigrationPlace::Kind;
using store::ImageRecord;

constexpr std::string_view manifest_item_name = "manifest";

std::shared_ptr<store::Store> open_to_read(const Context& context, const MigrationPlace& place) {
  return store::Store::open(context, *place.options.store, store::Store::Access::read_only);
}

bool is_image_type(std::string_view type) {
  return type == spec::media_type::oci_manifest || type == spec::media_type::docker_manifest;
}

std::optional<spec::Digest> config_in(const spec::RawManifest& raw) {
  if (!is_image_type(raw.media_type)) return std::nullopt;
  return spec::Manifest::parse(raw.bytes, raw.media_type).config().digest;
}

std::optional<spec::Digest> config_in_store(const Context& context, const store::Store& store,
                                            const ImageRecord& image) {
  if (!image.big_data.has(manifest_item_name)) return std::nullopt;
  const std::string bytes = store.image_big_data(context, image.id, std::string(manifest_item_name));
  const std::string type = spec::guess_manifest_type(bytes);
  if (!is_image_type(type)) return std::nullopt;
  return spec::Manifest::parse(bytes, type).config().digest;
}

std::vector<MigratingImage> images_of_store(const Context& context, const MigrationPlace& place) {
  const auto store = open_to_read(context, place);
  std::vector<MigratingImage> result;
  for (auto& record : store->images(context)) {
    if (store->is_read_only(context, record)) continue;
    MigratingImage image;
    image.id = record.id;
    image.names = record.names;
    image.source = "containers-storage:@" + record.id;
    try {
      image.config = config_in_store(context, *store, record);
      for (const auto& layer : store->chain(context, record.layer))
        if (layer.diff_digest) image.layers.insert(*layer.diff_digest);
    } catch (const Error& error) {
      // Copying it will tell.
      context.log.debug(fmt::format("image {}: {}", record.id, error.what()));
    }
    image.record = std::move(record);
    result.push_back(std::move(image));
  }
  return result;
}

std::vector<MigratingImage> images_of_daemon(const Context& context, const MigrationPlace& place) {
  std::vector<MigratingImage> result;
  for (const auto& found : transport::list_daemon_images(context, place.options)) {
    MigratingImage image;
    image.id = found.id.hex();
    for (const std::string& tag : found.tags) image.names.push_back(spec::Reference::parse(tag).str());
    image.source = "docker-daemon:" + found.id.str();
    image.config = found.id;
    result.push_back(std::move(image));
  }
  return result;
}

// "localhost/<the name of the folder>".
std::string repository_of_layout(const std::string& directory) {
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(directory, ignored);
  const std::string text = "localhost/" + path.filename().string();
  try {
    return spec::Reference::parse(text).is_name_only() ? text : "";
  } catch (const Error&) {
    return "";
  }
}

std::vector<MigratingImage> images_of_layout(const Context& context, const MigrationPlace& place) {
  const auto text = os::read_file(std::filesystem::path(place.directory) / transport::oci::index_file,
                                  transport::oci::max_index_size);
  const transport::oci::LayoutIndex index(text);
  const std::string repository = repository_of_layout(place.directory);
  std::vector<MigratingImage> result;
  std::set<spec::Digest> seen;
  for (std::size_t i = 0; i < index.manifests().size(); ++i) {
    const auto& entry = index.manifests()[i];
    const std::string name = transport::oci::LayoutIndex::name_of(entry);
    if (!seen.insert(entry.digest).second) {
      const auto known = std::ranges::find(result, entry.digest.hex(), &MigratingImage::id);
      if (known != result.end() && !name.empty()) known->names.push_back(name);
      continue;
    }
    MigratingImage image;
    image.id = entry.digest.hex();
    if (!name.empty()) image.names.push_back(name);
    image.repository = repository;
    image.source = fmt::format("oci:{}:@{}", place.directory, i);
    const auto source = transport::parse_image_name(image.source)->open_source(context, place.options);
    image.config = config_in(source->manifest(context, std::nullopt));
    result.push_back(std::move(image));
  }
  return result;
}

// A name in a layout may be anything: a tag, what an ID stands in for, or a reference without a registry,
// which is made a full one as podman does it.
std::optional<std::string> as_reference(const std::string& name, const std::string& repository) {
  if (store::is_id(name)) return std::nullopt;
  try {
    if (!repository.empty() && spec::is_valid_tag(name))
      return spec::Reference::parse(repository).with_tag(name).str();
    const std::size_t slash = name.find('/');
    const std::string first = name.substr(0, slash);
    const bool has_registry = slash != std::string::npos &&
                              (first.find_first_of(".:") != std::string::npos || first == "localhost");
    return spec::Reference::parse(has_registry ? name : "localhost/" + name).with_default_tag().str();
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool has_documents(const ImageRecord& there, const ImageRecord& image) {
  return std::ranges::all_of(image.big_data.names, [&](const std::string& key) {
    const auto mine = image.big_data.digests.find(key);
    const auto theirs = there.big_data.digests.find(key);
    return there.big_data.has(key) &&
           (mine == image.big_data.digests.end() || theirs == there.big_data.digests.end() ||
            mine->second == theirs->second);
  });
}

Presence presence_in_store(const Context& context, const MigrationPlace& to, const MigratingImage& image) {
  if (!std::filesystem::exists(to.options.store->graph_root)) return Presence::absent;
  const auto store = open_to_read(context, to);
  const std::string id = image.record || !image.config ? image.id : image.config->hex();
  const auto there = store->find_image(context, id);
  if (!there || there->id != id) return Presence::absent;
  const auto wanted = names_at(to, image);
  const bool named = std::ranges::all_of(wanted, [&](const std::string& name) {
    return std::ranges::find(there->names, name) != there->names.end();
  });
  const bool whole = named && (!image.record || has_documents(*there, *image.record));
  return whole ? Presence::whole : Presence::partial;
}

bool is_in_layout(const Context& context, const MigrationPlace& to, const std::string& name,
                  const spec::Digest& config) {
  try {
    const auto source =
        transport::parse_image_name("oci:" + to.directory + ":" + name)->open_source(context, to.options);
    return config_in(source->manifest(context, std::nullopt)) == config;
  } catch (const Error&) {
    return false;
  }
}

// Names that the destination has for this very image.
std::size_t count_names_at(const Context& context, const MigrationPlace& to, const MigratingImage& image,
                           const std::vector<std::string>& names) {
  const auto is_there = [&](const std::string& name) {
    if (to.kind == Kind_of_place::layout) return is_in_layout(context, to, name, *image.config);
    const auto reference = transport::parse_image_name("docker-daemon:" + name);
    return transport::find_daemon_image(context, *reference, to.options) == image.config;
  };
  return static_cast<std::size_t>(std::ranges::count_if(names, is_there));
}

}  // namespace

std::vector<MigratingImage> list_images(const Context& context, const MigrationPlace& place) {
  switch (place.kind) {
    case Kind_of_place::store: return images_of_store(context, place);
    case Kind_of_place::daemon: return images_of_daemon(context, place);
    case Kind_of_place::layout: return images_of_layout(context, place);
  }
  return {};
}

std::vector<std::string> names_at(const MigrationPlace& to, const MigratingImage& image) {
  std::vector<std::string> result;
  for (const std::string& name : image.names) {
    if (to.kind == Kind_of_place::layout) {
      result.push_back(name);
      continue;
    }
    const auto reference = as_reference(name, image.repository);
    // Only names with a tag can be given to a daemon.
    if (reference && (to.kind == Kind_of_place::store || reference->find('@') == std::string::npos))
      result.push_back(*reference);
  }
  // In a layout, an ID stands in for a name.
  if (to.kind == Kind_of_place::layout && result.empty())
    result.push_back(image.config ? image.config->hex() : image.id);
  return result;
}

Presence presence_of(const Context& context, const MigrationPlace& to, const MigratingImage& image) {
  if (to.kind == Kind_of_place::store) return presence_in_store(context, to, image);
  if (!image.config) return Presence::absent;
  const auto names = names_at(to, image);
  const std::size_t count = count_names_at(context, to, image, names);
  if (count == 0) return Presence::absent;
  return count == names.size() ? Presence::whole : Presence::partial;
}

}  // namespace lade::engine
