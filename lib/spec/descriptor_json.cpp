#include "spec/descriptor_json.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "spec/media_type.hpp"

namespace lade::spec {

namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view reason) {
  throw Error(Kind::invalid_input, std::string(what) + ": " + std::string(reason));
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lowered;
}

bool contains(std::initializer_list<std::string_view> list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Platform parse_platform(const Json& value, std::string_view what) {
  if (!value.is_object()) refuse(what, "platform is not an object");
  Platform platform;
  platform.os = string_member(value, "os", what);
  platform.architecture = string_member(value, "architecture", what);
  platform.variant = string_member(value, "variant", what);
  platform.os_version = string_member(value, "os.version", what);
  platform.os_features = strings_member(value, "os.features", what).value_or(std::vector<std::string>());
  return platform;
}

Json platform_json(const Platform& platform) {
  Json json = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.os_version.empty()) json["os.version"] = platform.os_version;
  if (!platform.os_features.empty()) json["os.features"] = platform.os_features;
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

template <class Value>
void set_or_erase(Json& object, const char* name, const Value& value) {
  if (value.empty())
    object.erase(name);
  else
    object[name] = value;
}

}  // namespace

Descriptor parse_descriptor(const Json& value, std::string_view what) {
  if (!value.is_object()) refuse(what, "a descriptor is not an object");
  const auto digest =
      in_context(what, [&] { return Digest::parse(string_member(value, "digest", "descriptor")); });
  Descriptor descriptor{string_member(value, "mediaType", what), digest, 0, {}, {}, {}, "", ""};
  if (descriptor.media_type.empty()) refuse(what, "a descriptor has no mediaType");
  const auto size = size_member(value, "size", what);
  if (!size) refuse(what, "a descriptor has no size");
  descriptor.size = *size;
  descriptor.urls = strings_member(value, "urls", what).value_or(std::vector<std::string>());
  descriptor.annotations = string_map_member(value, "annotations", what).value_or(Annotations());
  if (const Json* platform = find_member(value, "platform"))
    descriptor.platform = parse_platform(*platform, what);
  descriptor.artifact_type = string_member(value, "artifactType", what);
  descriptor.data = string_member(value, "data", what);
  return descriptor;
}

std::vector<Descriptor> parse_descriptors(const Json& document, std::string_view name,
                                          std::string_view what) {
  std::vector<Descriptor> descriptors;
  for (const Json& value : array_member(document, name, what))
    descriptors.push_back(parse_descriptor(value, what));
  return descriptors;
}

// Go programs write an empty one where there is none.
std::optional<Descriptor> parse_subject(const Json& document, std::string_view what) {
  const Json* subject = find_member(document, "subject");
  const bool is_empty =
      subject == nullptr || (subject->is_object() && string_member(*subject, "digest", what).empty() &&
                             string_member(*subject, "mediaType", what).empty());
  return is_empty ? std::nullopt : std::optional(parse_descriptor(*subject, what));
}

Flavor flavor_of(std::string_view manifest_type) {
  const bool is_oci = manifest_type == media_type::oci_manifest || manifest_type == media_type::oci_index;
  return is_oci ? Flavor::oci : Flavor::docker;
}

Json descriptor_json(const Descriptor& descriptor, Flavor flavor) {
  Json json = {{"mediaType", descriptor.media_type}};
  if (flavor == Flavor::docker) json["size"] = descriptor.size;
  json["digest"] = descriptor.digest.str();
  if (flavor == Flavor::oci) json["size"] = descriptor.size;
  if (!descriptor.urls.empty()) json["urls"] = descriptor.urls;
  if (flavor == Flavor::docker) return json;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  if (!descriptor.data.empty()) json["data"] = descriptor.data;
  return json;
}

Json instance_json(const Descriptor& instance, Flavor flavor) {
  Json json = descriptor_json(instance, flavor);
  if (instance.platform || flavor == Flavor::docker)
    json["platform"] = platform_json(instance.platform.value_or(Platform()));
  if (flavor == Flavor::oci && !instance.artifact_type.empty()) json["artifactType"] = instance.artifact_type;
  return json;
}

void update_descriptor_json(Json& object, const Descriptor& descriptor) {
  // Inline content belongs to the digest it came with.
  if (object["digest"] != descriptor.digest.str()) object.erase("data");
  object["mediaType"] = descriptor.media_type;
  object["digest"] = descriptor.digest.str();
  object["size"] = descriptor.size;
  set_or_erase(object, "urls", descriptor.urls);
  set_or_erase(object, "annotations", descriptor.annotations);
}

void refuse_ambiguous(const Json& document, std::string_view media_type,
                      std::initializer_list<std::string_view> allowed) {
  constexpr std::array<std::string_view, 5> telling{"config", "fsLayers", "history", "layers", "manifests"};
  for (const auto& [name, value] : document.get_ref<const Json::object_t&>()) {
    const std::string lowered = lower(name);
    const bool tells = std::any_of(telling.begin(), telling.end(),
                                   [&](std::string_view known) { return lower(known) == lowered; });
    if (tells && !value.is_null() && !contains(allowed, name))
      throw Error(Kind::invalid_input, "rejecting ambiguous manifest, unexpected field \"" + name +
                                           "\" in supposedly " + std::string(media_type));
  }
}

Json parse_document(std::string_view bytes, std::string_view media_type,
                    std::initializer_list<std::string_view> expected,
                    std::initializer_list<std::string_view> allowed) {
  if (!contains(expected, media_type))
    throw Error(Kind::unsupported, "unsupported manifest type \"" + std::string(media_type) + "\"");
  const std::string what = "invalid manifest of type " + std::string(media_type);
  Json document = parse_json(bytes, what);
  if (!document.is_object()) refuse(what, "not an object");
  if (size_member(document, "schemaVersion", what) != 2U) refuse(what, "schemaVersion is not 2");
  const std::string declared = string_member(document, "mediaType", what);
  if (!declared.empty() && declared != media_type) refuse(what, "its mediaType is " + dump_json(declared));
  refuse_ambiguous(document, media_type, allowed);
  return document;
}

}  // namespace lade::spec
