#include "spec/media_type.hpp"

#include <algorithm>
#include <array>

#include "spec/json.hpp"

namespace lade::spec {

namespace {

using namespace media_type;

constexpr std::array ordinary_layers{docker_layer_tar, docker_layer_gzip, docker_layer_zstd,
                                     oci_layer_tar,    oci_layer_gzip,    oci_layer_zstd};
constexpr std::array foreign_layers{docker_foreign_layer_tar, docker_foreign_layer_gzip,
                                    oci_nondistributable_tar, oci_nondistributable_gzip,
                                    oci_nondistributable_zstd};
constexpr std::string_view encrypted_suffix = "+encrypted";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

std::string_view without_encryption(std::string_view type) {
  if (type.ends_with(encrypted_suffix)) type.remove_suffix(encrypted_suffix.size());
  return type;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The member as a text: "" if it is absent or null, nullopt if it is something else.
std::optional<std::string> text_member(const Json& object, const char* name) {
  const Json* value = find_member(object, name);
  if (value == nullptr) return "";
  if (!value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

// Schema version 2 without a type: OCI before 1.0.2, or an artifact.
std::string guess_version2(const Json& document) {
  const Json* config = find_member(document, "config");
  if (config != nullptr && !config->is_object()) return "";
  const auto config_type = config != nullptr ? text_member(*config, "mediaType") : "";
  if (!config_type) return "";
  if (*config_type == oci_config) return std::string(oci_manifest);
  if (*config_type == docker_config) return std::string(docker_manifest);
  const Json* manifests = find_member(document, "manifests");
  if (manifests == nullptr || manifests->empty()) return std::string(oci_manifest);
  return manifests->is_array() && config_type->empty() ? std::string(oci_index) : "";
}

}  // namespace

bool is_list(std::string_view type) {
  return type == docker_list || type == oci_index;
}

bool is_schema1(std::string_view type) {
  return type == docker_manifest_v1 || type == docker_manifest_v1_signed;
}

bool is_manifest(std::string_view type) {
  return type == docker_manifest || type == oci_manifest || is_schema1(type);
}

bool is_layer(std::string_view type) {
  const std::string_view plain = without_encryption(type);
  return contains(ordinary_layers, plain) || contains(foreign_layers, plain);
}

bool is_foreign_layer(std::string_view type) {
  return contains(foreign_layers, without_encryption(type));
}

bool is_encrypted_layer(std::string_view type) {
  return type.ends_with(encrypted_suffix);
}

std::string normalize_manifest_type(std::string_view content_type) {
  std::string type(trim(content_type.substr(0, content_type.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (type.empty() || type == "application/json") return std::string(docker_manifest_v1_signed);
  return type;
}

std::string guess_manifest_type(std::string_view manifest) {
  const auto document = try_parse_json(manifest);
  if (!document || !document->is_object()) return "";
  const auto type = text_member(*document, "mediaType");
  if (!type) return "";
  if (is_list(*type) || *type == docker_manifest || *type == oci_manifest) return *type;

  const Json* version = find_member(*document, "schemaVersion");
  if (version == nullptr || !version->is_number_integer()) return "";
  if (*version == 2) return guess_version2(*document);
  if (*version != 1) return "";
  return std::string(find_member(*document, "signatures") != nullptr ? docker_manifest_v1_signed
                                                                     : docker_manifest_v1);
}

}  // namespace lade::spec
