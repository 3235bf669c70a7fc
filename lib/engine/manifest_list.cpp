#include "engine/manifest_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"

namespace lade::engine {
namespace {

using spec::Json;

constexpr std::string_view list_name = "manifest list";

std::vector<std::string> features_of(const Json& instance) {
  const Json* platform = spec::find_member(instance, "platform");
  if (platform == nullptr) return {};
  return spec::strings_member(*platform, "features", list_name).value_or(std::vector<std::string>());
}

Json docker_instance(const ManifestList::Entry& entry) {
  Json json = spec::instance_json(entry.descriptor, spec::Flavor::docker);
  if (!entry.features.empty()) json["platform"]["features"] = entry.features;
  return json;
}

void put_oci_members(Json& json, const spec::Descriptor& descriptor) {
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  if (!descriptor.data.empty()) json["data"] = descriptor.data;
}

}  // namespace

spec::Platform& ManifestList::Entry::platform() {
  if (!descriptor.platform) descriptor.platform.emplace();
  return *descriptor.platform;
}

ManifestList ManifestList::parse(std::string_view bytes) {
  const std::string type = spec::guess_manifest_type(bytes);
  if (type != spec::media_type::docker_list && type != spec::media_type::oci_index)
    throw Error(Kind::invalid_input, fmt::format("unable to load manifest list: unsupported format \"{}\"", type));
  const auto index = spec::Index::parse(bytes, type);
  const Json document = spec::parse_json(bytes, list_name);
  const auto& instances = spec::array_member(document, "manifests", list_name);
  ManifestList list;
  for (std::size_t i = 0; i < index.instances().size(); ++i)
    list.entries_.push_back({index.instances()[i], features_of(instances[i])});
  list.annotations_ = index.annotations();
  list.artifact_type_ = index.artifact_type();
  list.subject_ = index.subject();
  return list;
}

void ManifestList::add(Entry entry) {
  std::erase_if(entries_, [&](const Entry& other) { return other.descriptor.digest == entry.descriptor.digest; });
  entries_.push_back(std::move(entry));
}

void ManifestList::remove(const spec::Digest& digest) {
  (void)entry(digest);
  std::erase_if(entries_, [&](const Entry& other) { return other.descriptor.digest == digest; });
}

ManifestList::Entry& ManifestList::entry(const spec::Digest& digest) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& other) { return other.descriptor.digest == digest; });
  if (found == entries_.end())
    throw Error(Kind::not_found,
                fmt::format("no instance matching digest \"{}\" found in manifest list: file does not exist",
                            digest.str()));
  return *found;
}

void ManifestList::annotate(const spec::Annotations& annotations) {
  for (const auto& [name, text] : annotations) annotations_[name] = text;
}

bool ManifestList::prefers_oci() const {
  if (!artifact_type_.empty() || subject_ || !annotations_.empty()) return true;
  for (const Entry& entry : entries_) {
    const auto& descriptor = entry.descriptor;
    if (!descriptor.artifact_type.empty() || !descriptor.annotations.empty() || !descriptor.data.empty())
      return true;
  }
  const bool has_features =
      std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.features.empty(); });
  return !has_features && !entries_.empty();
}

std::string ManifestList::serialize() const {
  const bool oci = prefers_oci();
  Json json = {{"schemaVersion", 2},
               {"mediaType", oci ? spec::media_type::oci_index : spec::media_type::docker_list}};
  if (!artifact_type_.empty()) json["artifactType"] = artifact_type_;
  Json& list = json["manifests"] = entries_.empty() ? Json(nullptr) : Json::array();
  for (const Entry& entry : entries_)
    list.push_back(oci ? spec::instance_json(entry.descriptor, spec::Flavor::oci) : docker_instance(entry));
  if (subject_) json["subject"] = spec::instance_json(*subject_, spec::Flavor::oci);
  if (!annotations_.empty()) json["annotations"] = annotations_;
  return spec::dump_json(json);
}

Json ManifestList::to_json(const std::map<std::string, std::vector<std::string>>& files) const {
  Json json = {
      {"schemaVersion", 2},
      {"mediaType", prefers_oci() ? spec::media_type::oci_index : spec::media_type::docker_list}};
  if (!artifact_type_.empty()) json["artifactType"] = artifact_type_;
  Json& list = json["manifests"] = Json::array();
  for (const Entry& entry : entries_) {
    Json instance = docker_instance(entry);
    put_oci_members(instance, entry.descriptor);
    if (const auto found = files.find(entry.descriptor.digest.str()); found != files.end())
      instance["files"] = found->second;
    list.push_back(std::move(instance));
  }
  if (subject_) {
    Json& subject = json["subject"] = spec::instance_json(*subject_, spec::Flavor::docker);
    put_oci_members(subject, *subject_);
  }
  if (!annotations_.empty()) json["annotations"] = annotations_;
  return json;
}

}  // namespace lade::engine
