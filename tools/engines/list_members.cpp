#include "engines/list_members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engines/transfer.hpp"
#include "image/image.hpp"
#include "spec/media_type.hpp"
#include "transport/docker/docker.hpp"
#include "transport/transports.hpp"

namespace lade::engines {
namespace {

using engine::ManifestList;
using transport::ImageReference;

std::unique_ptr<ImageReference> in_store(EngineSession& session, const std::string& id) {
  return transport::parse_image_name(
      fmt::format("containers-storage:{}@{}", session.store()->specification(), id));
}

bool is_list_type(const std::string& type) {
  return type == spec::media_type::docker_list || type == spec::media_type::oci_index;
}

bool has_platform_in_config(const ManifestList::Entry& entry, const spec::Descriptor& config) {
  return entry.descriptor.artifact_type.empty() &&
         (config.media_type == spec::media_type::oci_config || config.media_type == spec::media_type::docker_config);
}

bool has_platform(const ManifestList::Entry& entry) {
  const auto& known = entry.descriptor.platform;
  return known && !known->os.empty() && !known->architecture.empty();
}

// Members that the list did not give come from the image's configuration.
void complete_platform(const Context& context, transport::ImageSource& source, const spec::RawManifest& raw,
                       ManifestList::Entry& entry) {
  image::Image image(source, raw);
  if (image.manifest() == nullptr || !has_platform_in_config(entry, image.manifest()->config())) return;
  const auto config = image.config(context);
  spec::Platform& platform = entry.platform();
  if (platform.os.empty()) {
    platform.os = config.os;
    platform.os_version = spec::string_member(config.document, "os.version", "config");
    platform.os_features = spec::strings_member(config.document, "os.features", "config")
                               .value_or(std::vector<std::string>());
  }
  if (platform.architecture.empty()) {
    platform.architecture = config.architecture;
    platform.variant = config.variant;
  }
}

// The entries of the list that are meant.
std::vector<ManifestList::Entry> chosen_entries(const spec::RawManifest& raw, bool all,
                                                const spec::PlatformChoice& platform) {
  const auto list = ManifestList::parse(raw.bytes);
  if (all) return list.entries();
  // A value: the index is gone behind this line.
  const spec::Digest chosen = spec::Index::parse(raw.bytes, raw.media_type).choose(platform).digest;
  std::vector<ManifestList::Entry> entries;
  for (const auto& entry : list.entries())
    if (entry.descriptor.digest == chosen && entries.empty()) entries.push_back(entry);
  return entries;
}

ManifestList::Entry entry_of_image(const spec::RawManifest& raw) {
  ManifestList::Entry entry{{raw.media_type, raw.digest, raw.bytes.size(), {}, {}, {}, "", ""}, {}};
  if (raw.media_type == spec::media_type::oci_manifest)
    entry.descriptor.artifact_type = spec::Manifest::parse(raw.bytes, raw.media_type).artifact_type();
  return entry;
}

}  // namespace

std::unique_ptr<ImageReference> find_member(EngineSession& session, const std::string& name, bool local_first) {
  if (names_transport(name)) {
    if (!name.starts_with("containers-storage:")) return transport::parse_image_name(name);
    return in_store(session, session.images().get(name).image->id);
  }
  const auto images = session.images();
  const auto find_local = [&]() -> std::unique_ptr<ImageReference> {
    const auto found = images.find(name);
    return found ? in_store(session, found->image->id) : nullptr;
  };
  if (local_first)
    if (auto local = find_local()) return local;
  std::unique_ptr<ImageReference> remote;
  try {
    remote = transport::parse_image_name("docker://" + name);
    (void)remote->open_source(session.context(), options_for(session, *remote));
    return remote;
  } catch (const Error& error) {
    if (auto local = find_local()) return local;
    const std::string tried = remote ? remote->str() : "docker://" + name;
    throw Error(error.kind(), fmt::format("setting up to read manifest and configuration from \"{}\": {}", tried,
                                          error.what()));
  }
}

spec::Digest add_image(EngineSession& session, engine::StoredList& stored, const ImageReference& reference,
                       bool all, const spec::PlatformChoice& platform) {
  const Context& context = session.context();
  const auto source = reference.open_source(context, options_for(session, reference));
  const auto top = source->manifest(context, std::nullopt);
  const bool is_list = is_list_type(top.media_type);
  auto entries = is_list ? chosen_entries(top, all, platform) : std::vector{entry_of_image(top)};
  if (entries.empty()) throw Error(Kind::invalid_input, fmt::format("{} has no images", reference.str()));
  const auto first = entries.front().descriptor.digest;
  for (ManifestList::Entry& entry : entries) {
    const auto digest = entry.descriptor.digest;
    if (!has_platform(entry))
      complete_platform(context, *source, is_list ? source->manifest(context, digest) : top, entry);
    stored.instances.try_emplace(digest.str(), reference.str());
    stored.list.add(std::move(entry));
  }
  return first;
}

spec::Descriptor describe_subject(EngineSession& session, const ImageReference& reference) {
  const auto source = reference.open_source(session.context(), options_for(session, reference));
  const auto raw = source->manifest(session.context(), std::nullopt);
  if (is_list_type(raw.media_type)) return {raw.media_type, raw.digest, raw.bytes.size(), {}, {}, {}, "", ""};
  return entry_of_image(raw).descriptor;
}

spec::Digest find_entry(EngineSession& session, const engine::StoredList& stored, const std::string& name) {
  if (const auto digest = spec::Digest::try_parse(name)) return *digest;
  const std::string path = std::filesystem::absolute(name).string();
  for (const auto& [digest, files] : stored.artifacts.files)
    if (std::find(files.begin(), files.end(), path) != files.end()) return spec::Digest::parse(digest);
  const auto reference = find_member(session, name, true);
  return describe_subject(session, *reference).digest;
}

}  // namespace lade::engines
