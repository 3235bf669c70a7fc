#include "copy/manifest_types.hpp"

#include <algorithm>

#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

namespace types = spec::media_type;

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void add(std::vector<std::string>& list, std::string_view item) {
  if (!contains(list, item)) list.emplace_back(item);
}

// Docker's formats have no zstd, and no encrypted layers.
bool needs_oci(const Session& session) {
  return session.options.compression == io::Compression::zstd || session.arrives_encrypted;
}

[[noreturn]] void refuse_encrypted(const Session& session) {
  std::string types;
  for (const std::string& type : session.destination.traits().manifest_types) {
    if (!spec::is_list(type)) types += (types.empty() ? "" : ", ") + type;
  }
  throw Error(Kind::invalid_input, "encryption required but the destination only supports MIME types [" +
                                       types + "], none of which support encryption");
}

// What the destination takes and the options allow, best first.
std::vector<std::string> acceptable_types(const Session& session, std::string_view original) {
  const auto& taken = session.destination.traits().manifest_types;
  std::vector<std::string> result;
  for (const std::string& type : taken) {
    if (spec::is_list(type)) continue;
    if (needs_oci(session) && type != types::oci_manifest) continue;
    result.push_back(type);
  }
  if (taken.empty()) result.emplace_back(needs_oci(session) ? types::oci_manifest : original);
  return result;
}

std::string list_type_of_image_type(std::string_view image_type) {
  return std::string(image_type == types::oci_manifest ? types::oci_index : types::docker_list);
}

}  // namespace

std::vector<std::string> manifest_types_for(const Session& session, std::string_view original) {
  const std::string& forced = session.options.manifest_type;
  if (!forced.empty()) {
    if (forced != original && !session.may_change()) {
      throw Error(Kind::invalid_input, "the manifest must be converted to type \"" + forced +
                                           "\", but we cannot modify it: \"" + session.unchangeable_reason +
                                           "\"");
    }
    if (session.arrives_encrypted && forced != types::oci_manifest) {
      throw Error(Kind::invalid_input, "encryption required together with format " + forced +
                                           ", which does not support encryption");
    }
    if (needs_oci(session) && forced != types::oci_manifest) {
      throw Error(Kind::invalid_input,
                  "zstd compression needs the OCI format, but --format asks for \"" + forced + "\"");
    }
    return {forced};
  }
  if (!session.may_change()) return {std::string(original)};

  const auto acceptable = acceptable_types(session, original);
  std::vector<std::string> result;
  for (std::string_view preferred : {original, types::docker_manifest, types::docker_manifest_v1_signed}) {
    if (contains(acceptable, preferred)) add(result, preferred);
  }
  for (const std::string& type : acceptable) add(result, type);
  if (result.empty() && session.arrives_encrypted) refuse_encrypted(session);
  if (result.empty()) {
    throw Error(Kind::invalid_input, "the destination takes no manifest type this image can be written as");
  }
  return result;
}

std::string list_type_for(const Session& session, std::string_view original) {
  const auto& taken = session.destination.traits().manifest_types;
  std::string type(original);
  if (!session.options.manifest_type.empty()) {
    type = list_type_of_image_type(session.options.manifest_type);
  } else if (needs_oci(session)) {
    type = types::oci_index;
  } else if (!taken.empty() && !contains(taken, original)) {
    const auto list =
        std::find_if(taken.begin(), taken.end(), [](const auto& t) { return spec::is_list(t); });
    if (list != taken.end()) type = *list;
  }
  if (type != original && !session.may_change()) {
    throw Error(Kind::invalid_input, "Manifest list must be converted to type \"" + type +
                                         "\" to be written to destination, but we cannot modify it: \"" +
                                         session.unchangeable_reason + "\"");
  }
  return type;
}

}  // namespace lade::copy
