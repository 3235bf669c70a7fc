#include "image/inspect.hpp"

#include <limits>
#include <set>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"

namespace lade::image {

namespace {

using spec::Json;

constexpr std::size_t parallel_requests = 6;

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json layer_json(const Image::Layer& layer) {
  return {{"MIMEType", layer.media_type},
          {"Digest", layer.digest.str()},
          {"Size", layer.size ? Json(*layer.size) : Json(-1)},
          {"Annotations", layer.annotations.empty() ? Json(nullptr) : Json(layer.annotations)}};
}

// As skopeo shows it: a time that was never set is null in OCI's format and the zero time in Docker's.
std::optional<std::string> created_of(const Image& image, const std::string& created) {
  if (!created.empty()) return spec::normalize_time(created).value_or(created);
  const bool is_oci = image.raw().media_type == spec::media_type::oci_manifest;
  return is_oci ? std::nullopt : std::optional(std::string(spec::zero_time));
}

std::optional<std::uint64_t> size_of_instance(const Context& context, transport::ImageSource& source,
                                              const spec::Descriptor& instance) {
  if (spec::is_list(instance.media_type)) return std::nullopt;
  return total_size(Image(source, source.manifest(context, instance.digest)));
}

// Lists may name what is not there: copies of a part of a list, for example.
std::optional<std::uint64_t> find_size_of_instance(const Context& context, transport::ImageSource& source,
                                                   const spec::Descriptor& instance) {
  try {
    return size_of_instance(context, source, instance);
  } catch (const Error& error) {
    if (error.kind() != Kind::not_found && error.kind() != Kind::image_not_found) throw;
    return std::nullopt;
  }
}

PlatformRow single_row(const Context& context, transport::ImageSource& source, const spec::RawManifest& top) {
  Image image(source, top);
  PlatformRow row{{}, top.digest, top.media_type, total_size(image), image.artifact_type()};
  if (image.is_artifact()) return row;
  const auto config = image.config(context);
  row.platform.os = config.os;
  row.platform.architecture = config.architecture;
  row.platform.variant = config.variant;
  return row;
}

}  // namespace

Json Inspection::to_json() const {
  Json json = Json::object();
  if (!name.empty()) json["Name"] = name;
  if (!tag.empty()) json["Tag"] = tag;
  json["Digest"] = digest;
  json["RepoTags"] = repo_tags;
  json["Created"] = or_null(created);
  json["DockerVersion"] = docker_version;
  json["Labels"] = or_null(labels);
  json["Architecture"] = architecture;
  json["Os"] = os;
  json["Layers"] = layers;
  Json& data = json["LayersData"] = Json::array();
  for (const Image::Layer& layer : layers_data) data.push_back(layer_json(layer));
  json["Env"] = or_null(env);
  if (!artifact_type.empty()) json["ArtifactType"] = artifact_type;
  return json;
}

Inspection inspect(const Context& context, Image& image, const spec::Digest& top_digest) {
  Inspection inspection;
  inspection.digest = top_digest.str();
  inspection.layers_data = image.layers();
  for (const Image::Layer& layer : inspection.layers_data) inspection.layers.push_back(layer.digest.str());
  inspection.artifact_type = image.artifact_type();
  if (image.is_artifact()) return inspection;

  const spec::ImageConfig config = image.config(context);
  if (const Schema1* old = image.schema1()) inspection.tag = old->tag;
  inspection.created = created_of(image, config.created);
  inspection.docker_version = config.docker_version;
  inspection.labels = config.labels;
  inspection.architecture = config.architecture;
  inspection.os = config.os;
  inspection.env = config.env;
  return inspection;
}

std::optional<std::uint64_t> total_size(const Image& image) {
  if (image.manifest() == nullptr) return std::nullopt;
  std::set<spec::Digest> counted;
  std::uint64_t total = 0;
  const auto add = [&](const spec::Descriptor& blob) {
    if (!counted.insert(blob.digest).second) return;
    if (blob.size > std::numeric_limits<std::uint64_t>::max() - total)
      throw Error(Kind::invalid_input, "the sizes of the layers are too large to be true");
    total += blob.size;
  };
  add(image.manifest()->config());
  for (const spec::Descriptor& layer : image.manifest()->layers()) add(layer);
  return total;
}

std::vector<PlatformRow> platform_rows(const Context& context, transport::ImageSource& source,
                                       const spec::RawManifest& top) {
  if (!spec::is_list(top.media_type)) return {single_row(context, source, top)};
  const auto list = spec::Index::parse(top.bytes, top.media_type);
  std::vector<PlatformRow> rows;
  for (const spec::Descriptor& instance : list.instances())
    rows.push_back({instance.platform.value_or(spec::Platform()), instance.digest, instance.media_type,
                    std::nullopt, instance.artifact_type});
  parallel_for(context, rows.size(), parallel_requests, [&](const Context& inner, std::size_t i) {
    rows[i].size = find_size_of_instance(inner, source, list.instances()[i]);
  });
  return rows;
}

}  // namespace lade::image
