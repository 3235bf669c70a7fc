#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "archive/tar_reader.hpp"
#include "base/parallel.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"
#include "spec/image_config.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "store/check_parts.hpp"
#include "store/check_tree.hpp"
#include "store/ids.hpp"

namespace lade::store {

namespace {

using Mend = Finding::Mend;
using Object = Finding::Object;
using Remedy = Finding::Remedy;

constexpr std::uint64_t max_item = 256 * 1024 * 1024;
constexpr std::string_view manifest_key = "manifest";

// nullopt for files that do not look as their tar says: shifted owners, or attributes kept elsewhere.
std::optional<TreeRules> tree_rules(const Store& store, const LayerRecord& layer) {
  const auto& options = store.options();
  const auto driver = options.for_driver(store.layout().driver);
  if (!layer.ids.uids.empty() || !layer.ids.gids.empty() || !driver.force_mask.empty() || layer.toc_digest)
    return std::nullopt;
  TreeRules rules;
  struct ::stat root {};
  const bool is_own = ::stat(store.layout().graph_root.c_str(), &root) == 0 && root.st_uid == ::geteuid();
  rules.owners = is_own && !driver.ignore_chown_errors;
  rules.devices = !options.rootless;
  rules.only_these = store.layout().driver == "overlay";
  rules.whiteout_files =
      rules.only_these && os::find_file(store.layout().home() / ".has-mount-program", 64) == "true";
  return rules;
}

// What is wrong with the content of a layer; "" if nothing is, or if nothing is known about it.
std::string trouble_with_content(const Context& context, const Store& store, const LayerRecord& layer,
                                 const Path& files) {
  if (!layer.diff_digest) return "";
  try {
    const auto tar = store.open_diff(context, layer.id);
    io::DigestingReader digesting(*tar, layer.diff_digest->algorithm());
    archive::TarReader members(digesting);
    ExpectedTree tree;
    while (const auto* entry = members.next()) {
      context.throw_if_stopped();
      tree.add(entry->header);
    }
    std::vector<std::byte> buffer(io::chunk_size);
    while (digesting.read(buffer) > 0) context.throw_if_stopped();
    const auto size = static_cast<std::int64_t>(digesting.count());
    const auto digest = digesting.finish();
    if (digest != *layer.diff_digest)
      return fmt::format("its tar has the digest {}, and should have {}", digest.str(),
                         layer.diff_digest->str());
    if (layer.diff_size >= 0 && size != layer.diff_size)
      return fmt::format("its tar has {} bytes, and should have {}", size, layer.diff_size);
    if (const auto rules = tree_rules(store, layer))
      if (const std::string trouble = tree.compare(files, *rules); !trouble.empty())
        return "its files are not those of its tar: " + trouble;
  } catch (const Error& error) {
    return fmt::format("its tar cannot be made again: {}", error.what());
  }
  return "";
}

// A manifest's digest is not that of the bytes when signatures stand in it.
bool has_digest(const std::string& bytes, const std::string& key, const spec::Digest& digest) {
  if (io::digest_of(bytes, digest.algorithm()) == digest) return true;
  if (!key.starts_with(manifest_key)) return false;
  try {
    return io::digest_of(spec::manifest_payload(bytes), digest.algorithm()) == digest;
  } catch (const Error&) {
    return false;
  }
}

std::string trouble_with_item(const Path& path, const std::string& key, const BigData& facts, bool quick) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fmt::format("its item {} is gone", key);
  const auto recorded = facts.sizes.find(key);
  if (recorded != facts.sizes.end() && recorded->second != static_cast<std::int64_t>(size))
    return fmt::format("its item {} has {} bytes, and should have {}", key, size, recorded->second);
  const auto text = facts.digests.find(key);
  const auto digest = text == facts.digests.end() ? std::nullopt : spec::Digest::try_parse(text->second);
  if (quick || !digest) return "";
  const std::string bytes = os::read_file(path, max_item);
  if (!has_digest(bytes, key, *digest))
    return fmt::format("its item {} has not the digest {}", key, digest->str());
  const auto named = spec::Digest::try_parse(key);
  if (named && io::digest_of(bytes, named->algorithm()) != *named)
    return fmt::format("its item {} has another digest than its name", key);
  return "";
}

std::vector<std::pair<Path, std::string>> troubles_with_items(const Path& directory, const BigData& facts,
                                                              bool quick) {
  std::vector<std::pair<Path, std::string>> result;
  for (const std::string& key : facts.names) {
    const Path path = directory / big_data_file_name(key);
    try {
      if (auto trouble = trouble_with_item(path, key, facts, quick); !trouble.empty())
        result.emplace_back(path, std::move(trouble));
    } catch (const Error& error) {
      result.emplace_back(path, fmt::format("its item {} cannot be read: {}", key, error.what()));
    }
  }
  return result;
}

// Root first; nullopt if something in it is unknown.
std::optional<std::vector<spec::DiffId>> diff_ids_of_chain(const Check& check, const std::string& top) {
  std::vector<spec::DiffId> result;
  for (const auto& layer : check.store.chain(check.context, top)) {
    if (!layer.diff_digest) return std::nullopt;
    result.push_back({*layer.diff_digest});
  }
  return result;
}

// Manifest, config and layers have to agree; "" if they do, or if it is no image of one machine.
std::string trouble_with_documents(const Check& check, const ImageRecord& image) {
  if (!image.big_data.has(manifest_key)) return "it has no manifest";
  const std::string bytes = check.store.image_big_data(check.context, image.id, std::string(manifest_key));
  const std::string type = spec::guess_manifest_type(bytes);
  if (type != spec::media_type::oci_manifest && type != spec::media_type::docker_manifest) return "";
  const auto manifest = spec::Manifest::parse(bytes, type);
  if (manifest.is_artifact()) return "";
  const std::string config_key = manifest.config().digest.str();
  if (!image.big_data.has(config_key)) return fmt::format("it has no config {}", config_key);
  const auto config =
      spec::ImageConfig::parse(check.store.image_big_data(check.context, image.id, config_key));
  const auto found = diff_ids_of_chain(check, image.layer);
  if (found && *found != config.diff_ids)
    return fmt::format("its layers are not the {} that its config names", config.diff_ids.size());
  return "";
}

}  // namespace

void check_layer_contents(Check& check) {
  std::vector<const LayerRecord*> layers;
  for (const auto& [layer, place] : check.records.layers.entries())
    if (!layer.is_incomplete() && layer.diff_digest && damaged_below(check, layer.id).empty())
      layers.push_back(&layer);
  std::vector<std::string> troubles(layers.size());
  parallel_for(
      check.context, layers.size(), check.options.threads, [&](const Context& context, std::size_t i) {
        const bool of_image_store =
            check.records.layers.find_entry(layers[i]->id)->place == Place::image_store;
        const Path home = of_image_store ? check.layout.image_home() : check.layout.home();
        const Path files =
            check.layout.driver == "overlay" ? home / layers[i]->id / "diff" : home / "dir" / layers[i]->id;
        troubles[i] = trouble_with_content(context, check.store, *layers[i], files);
      });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // Another program may have removed it meanwhile.
    if (troubles[i].empty() || !check.store.find_layer(check.context, layers[i]->id)) continue;
    check.add_damage(layers[i]->id, troubles[i]);
  }
}

void check_image_contents(Check& check) {
  for (const auto& [image, place] : check.records.images.entries()) {
    const Path directory = check.layout.images() / image.id;
    const auto add = [&, &image = image](std::string problem, const Path& path = {}) {
      check.add({.object = Object::image,
                 .id = image.id,
                 .names = image.names,
                 .path = path,
                 .problem = std::move(problem),
                 .mend = Mend::by_force,
                 .remedy = Remedy::remove_image});
    };
    const auto troubles = troubles_with_items(directory, image.big_data, check.options.quick);
    const bool still_there = troubles.empty() || check.store.find_image(check.context, image.id).has_value();
    for (const auto& [path, problem] : troubles)
      if (still_there) add(problem, path);
    if (!troubles.empty() || check.options.quick || !check.records.knows_layer(image.layer)) continue;
    try {
      if (auto trouble = trouble_with_documents(check, image); !trouble.empty()) add(std::move(trouble));
    } catch (const Error& error) {
      if (check.store.find_image(check.context, image.id)) add(error.what());
    }
  }
}

void check_container_contents(Check& check) {
  for (const auto& [container, place] : check.records.containers.entries()) {
    const auto troubles = troubles_with_items(check.layout.containers() / container.id, container.big_data,
                                              check.options.quick);
    for (const auto& [path, problem] : troubles)
      if (check.store.find_container(check.context, container.id))
        check.add({.object = Object::container,
                   .id = container.id,
                   .names = container.names,
                   .path = path,
                   .problem = problem});
  }
}

}  // namespace lade::store
