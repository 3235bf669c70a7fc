// Descriptors as JSON, and what manifests of all formats have in common.
#pragma once

#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"
#include "spec/json.hpp"

namespace lade::spec {

// `what` names the document and the place in it for errors.
Descriptor parse_descriptor(const Json& value, std::string_view what);
std::vector<Descriptor> parse_descriptors(const Json& document, std::string_view name, std::string_view what);
std::optional<Descriptor> parse_subject(const Json& document, std::string_view what);

// Members in the order in which Go's structs write them; they differ between Docker and OCI.
enum class Flavor { docker, oci };
Flavor flavor_of(std::string_view manifest_type);
Json descriptor_json(const Descriptor& descriptor, Flavor flavor);
// A Docker list has a platform for each instance.
Json instance_json(const Descriptor& instance, Flavor flavor);

// Digest, size, media type, urls and annotations of an object that stays otherwise as it is.
void update_descriptor_json(Json& object, const Descriptor& descriptor);

// Parses and checks schemaVersion, mediaType, and that of the members that tell formats apart ("config",
// "fsLayers", "history", "layers", "manifests", in any case) there are only `allowed` ones.
// Kind::invalid_input; Kind::unsupported if media_type is none of `expected`.
Json parse_document(std::string_view bytes, std::string_view media_type,
                    std::initializer_list<std::string_view> expected,
                    std::initializer_list<std::string_view> allowed);

// Throws if any member that tells formats apart is there and not allowed; members count whatever their case,
// since Go's parser takes them so.
void refuse_ambiguous(const Json& document, std::string_view media_type,
                      std::initializer_list<std::string_view> allowed);

}  // namespace lade::spec
