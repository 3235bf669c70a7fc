#include "engine/image_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::engine {
namespace {

using spec::Json;
using store::ImageRecord;

const spec::ImageConfig& config_or_error(const LocalImages& images, const ImageRecord& image) {
  if (const spec::ImageConfig* config = images.config(image)) return *config;
  throw Error(Kind::invalid_input, fmt::format("image {} has no configuration", image.id));
}

std::string text_at(const Json& object, const char* name) {
  const Json* member = spec::find_member(object, name);
  return member != nullptr && member->is_string() ? member->get<std::string>() : "";
}

Json overlay_data(const LocalImages& images, const ImageRecord& image) {
  const auto layout = images.store().layout();
  const auto directory = [&](const std::string& id, const char* part) {
    auto home = layout.home() / id;
    if (!std::filesystem::exists(home) && layout.has_image_store()) home = layout.image_home() / id;
    return (home / part).string();
  };
  Json data = Json::object();
  std::string lower;
  const auto chain = images.store().chain(images.context(), image.layer);
  for (std::size_t i = chain.size(); i-- > 1;) {
    if (!lower.empty()) lower += ":";
    lower += directory(chain[i - 1].id, "diff");
  }
  if (!lower.empty()) data["LowerDir"] = lower;
  const auto mount = images.store().mount_state(images.context(), image.layer);
  if (mount.count > 0) data["MergedDir"] = mount.path.string();
  data["UpperDir"] = directory(image.layer, "diff");
  data["WorkDir"] = directory(image.layer, "work");
  return data;
}

Json driver_json(const LocalImages& images, const ImageRecord& image) {
  const std::string& driver = images.store().layout().driver;
  Json data;
  if (!image.layer.empty() && driver == "overlay") data = overlay_data(images, image);
  return {{"Name", driver}, {"Data", std::move(data)}};
}

// Go leaves empty members out.
Json shown_config(const Json& oci) {
  const Json* config = spec::find_member(oci, "config");
  return config == nullptr ? Json::object() : *config;
}

std::vector<std::string> diff_ids_of(const spec::ImageConfig& config) {
  std::vector<std::string> result;
  for (const auto& id : config.diff_ids) result.push_back(id.digest.str());
  return result;
}

}  // namespace

Json image_annotations(const spec::RawManifest& raw) {
  Json json = Json::object();
  if (raw.media_type != spec::media_type::oci_manifest) return json;
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  for (const auto& [name, text] : manifest.annotations()) json[name] = text;
  return json;
}

Json inspect_image(const LocalImages& images, const ImageRecord& image) {
  const spec::ImageConfig& config = config_or_error(images, image);
  const auto raw = transport::make_raw_manifest(images.manifest(image), "");
  const bool is_docker = raw.media_type == spec::media_type::docker_manifest;
  const Json oci = config.oci_document();
  const ImageRecord* parent = images.parent(image);
  std::string comment = is_docker ? text_at(config.document, "comment") : "";
  if (!is_docker && !config.history.empty()) comment = config.history.front().comment;
  Json json;
  json["Id"] = image.id;
  json["Digest"] = image.digest;
  json["RepoTags"] = image.names;
  json["RepoDigests"] = images.repo_digests(image);
  json["Parent"] = parent == nullptr ? "" : parent->id;
  json["Comment"] = comment;
  json["Created"] = config.created.empty() ? Json(nullptr) : Json(spec::time_or_zero(config.created));
  json["Config"] = shown_config(oci);
  json["Version"] = is_docker ? config.docker_version : "";
  json["Author"] = config.author;
  json["Architecture"] = config.architecture;
  json["Os"] = config.os;
  json["Size"] = images.size(image);
  json["VirtualSize"] = images.size(image);
  json["GraphDriver"] = driver_json(images, image);
  json["RootFS"] = {{"Type", "layers"}, {"Layers", diff_ids_of(config)}};
  json["Labels"] = config.labels && !config.labels->empty() ? Json(*config.labels) : Json(nullptr);
  json["Annotations"] = image_annotations(raw);
  json["ManifestType"] = raw.media_type;
  json["User"] = text_at(json["Config"], "User");
  const Json* history = spec::find_member(oci, "history");
  json["History"] = history == nullptr ? Json(nullptr) : *history;
  json["NamesHistory"] = image.names_history.empty() ? Json(nullptr) : Json(image.names_history);
  if (const Json* docker = spec::find_member(config.document, "config"); is_docker && docker != nullptr) {
    if (const Json* check = spec::find_member(*docker, "Healthcheck")) json["Healthcheck"] = *check;
  }
  return json;
}

std::vector<HistoryEntry> image_history(const LocalImages& images, const ImageRecord& image) {
  const spec::ImageConfig& config = config_or_error(images, image);
  const ImageRecord* at = &image;
  const store::LayerRecord* layer = images.layer(image.layer);
  std::vector<HistoryEntry> result;
  for (std::size_t i = config.history.size(); i-- > 0;) {
    const auto& event = config.history[i];
    HistoryEntry entry;
    entry.created = event.created;
    entry.created_by = event.created_by;
    entry.comment = event.comment;
    if (at != nullptr) {
      entry.id = at->id;
      entry.tags = at->names;
      at = images.parent(*at);
    }
    if (!event.empty_layer && layer != nullptr) {
      if (entry.id.empty()) {
        // What else ends with this layer.
        for (const ImageRecord& other : images.all()) {
          if (other.layer != layer->id) continue;
          entry.id = other.id;
          entry.tags = other.names;
          break;
        }
      }
      entry.size = layer->diff_size > 0 ? static_cast<std::uint64_t>(layer->diff_size) : 0;
      layer = images.layer(layer->parent);
    }
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace lade::engine
