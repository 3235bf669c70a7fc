#include "registry/server/layout_index.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "registry/server/route.hpp"
#include "spec/media_type.hpp"
#include "spec/reference.hpp"

namespace lade::registry::server {

namespace {

using spec::Json;

constexpr std::string_view name_annotation = "org.opencontainers.image.ref.name";
constexpr std::string_view repository_annotation = "io.lade.registry.repository";

std::string text_member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string annotation(const Json& descriptor, std::string_view name) {
  const auto found = descriptor.find("annotations");
  return found != descriptor.end() && found->is_object() ? text_member(*found, name) : std::string();
}

void annotate(Json& descriptor, std::string_view name, const std::string& value) {
  Json& annotations = descriptor["annotations"];
  if (!annotations.is_object()) annotations = Json::object();
  annotations.erase(std::string(name_annotation));
  annotations.erase(std::string(repository_annotation));
  annotations[std::string(name)] = value;
}

}  // namespace

std::string default_repository(std::string_view folder) {
  std::string name;
  for (const char c : folder) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool known = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '.' ||
                       lower == '_' || lower == '-';
    name += known ? lower : '-';
  }
  const auto first = name.find_first_not_of("._-");
  if (first == name.npos) return "image";
  name = name.substr(first, name.find_last_not_of("._-") - first + 1);
  return is_valid_repository(name) ? name : "image";
}

struct LayoutIndex::Located {
  std::size_t position;
  Entry entry;
};

LayoutIndex::LayoutIndex(std::string repository) : repository_(std::move(repository)) {
  document_ = Json::object();
  document_["schemaVersion"] = 2;
  document_["mediaType"] = spec::media_type::oci_index;
  document_["manifests"] = Json::array();
}

LayoutIndex::LayoutIndex(std::string_view text, std::string repository)
    : repository_(std::move(repository)), document_(spec::parse_json(text, "index.json", max_index_size)) {
  if (!document_.is_object()) throw Error(Kind::invalid_input, "index.json is not an object");
  Json& manifests = document_["manifests"];
  if (manifests.is_null()) manifests = Json::array();
  if (!manifests.is_array()) throw Error(Kind::invalid_input, "index.json: manifests is not a list");
}

std::optional<LayoutIndex::Entry> LayoutIndex::entry(const Json& descriptor) const {
  if (!descriptor.is_object()) return std::nullopt;
  const auto digest = spec::Digest::try_parse(text_member(descriptor, "digest"));
  if (!digest) return std::nullopt;
  const std::string media_type = text_member(descriptor, "mediaType");
  const std::string name = annotation(descriptor, name_annotation);
  const auto colon = name.rfind(':');
  if (colon != name.npos && is_valid_repository(name.substr(0, colon)) &&
      spec::is_valid_tag(name.substr(colon + 1))) {
    return Entry{name.substr(0, colon), name.substr(colon + 1), *digest, media_type};
  }
  if (spec::is_valid_tag(name)) return Entry{repository_, name, *digest, media_type};
  const std::string repository = annotation(descriptor, repository_annotation);
  if (is_valid_repository(repository)) return Entry{repository, std::nullopt, *digest, media_type};
  return Entry{repository_, std::nullopt, *digest, media_type};
}

std::vector<LayoutIndex::Located> LayoutIndex::locate() const {
  const Json& manifests = document_.at("manifests");
  std::vector<Located> found;
  std::vector<std::size_t> nameless;  // places in `found`
  bool has_latest = false;
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    auto one = entry(manifests[i]);
    if (!one) continue;
    has_latest = has_latest || (one->repository == repository_ && one->tag == "latest");
    if (!one->tag && annotation(manifests[i], repository_annotation).empty())
      nameless.push_back(found.size());
    found.push_back({i, std::move(*one)});
  }
  if (nameless.size() == 1 && !has_latest) found[nameless.front()].entry.tag = "latest";
  return found;
}

std::vector<LayoutIndex::Entry> LayoutIndex::entries() const {
  std::vector<Entry> all;
  for (auto& located : locate()) all.push_back(std::move(located.entry));
  return all;
}

void LayoutIndex::append(const spec::Descriptor& manifest, std::string_view name, const std::string& value) {
  Json descriptor = Json::object();
  descriptor["mediaType"] = manifest.media_type;
  descriptor["digest"] = manifest.digest.str();
  descriptor["size"] = manifest.size;
  annotate(descriptor, name, value);
  document_["manifests"].push_back(std::move(descriptor));
}

void LayoutIndex::erase(std::size_t position) {
  document_["manifests"].erase(position);
}

void LayoutIndex::set_tag(const std::string& repository, const std::string& tag,
                          const spec::Descriptor& manifest) {
  const auto before = locate();
  const auto same = std::find_if(before.begin(), before.end(), [&](const Located& one) {
    return one.entry.repository == repository && one.entry.tag == tag;
  });
  if (same != before.end() && same->entry.digest == manifest.digest) return;
  if (same != before.end()) remove_tag(repository, tag);
  for (const auto& one : locate()) {
    const bool untagged = one.entry.repository == repository && !one.entry.tag;
    if (!untagged || one.entry.digest != manifest.digest) continue;
    annotate(document_["manifests"][one.position], name_annotation, repository + ":" + tag);
    return;
  }
  append(manifest, name_annotation, repository + ":" + tag);
}

void LayoutIndex::add(const std::string& repository, const spec::Descriptor& manifest) {
  for (const auto& one : locate()) {
    if (one.entry.repository == repository && one.entry.digest == manifest.digest) return;
  }
  append(manifest, repository_annotation, repository);
}

bool LayoutIndex::remove_tag(const std::string& repository, std::string_view tag) {
  const auto all = locate();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Located& one) {
    return one.entry.repository == repository && one.entry.tag == tag;
  });
  if (found == all.end()) return false;
  const auto others = std::count_if(all.begin(), all.end(), [&](const Located& one) {
    return one.entry.repository == repository && one.entry.digest == found->entry.digest;
  });
  if (others > 1) {
    erase(found->position);
  } else {
    annotate(document_["manifests"][found->position], repository_annotation, repository);
  }
  return true;
}

bool LayoutIndex::remove_manifest(const std::string& repository, const spec::Digest& digest) {
  const auto all = locate();
  bool removed = false;
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (one->entry.repository != repository || one->entry.digest != digest) continue;
    erase(one->position);
    removed = true;
  }
  return removed;
}

std::string LayoutIndex::dump() const {
  return spec::dump_json(document_);
}

}  // namespace lade::registry::server
