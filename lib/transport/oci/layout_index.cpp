#include "transport/oci/layout_index.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/media_type.hpp"

namespace lade::transport::oci {

namespace {

constexpr std::string_view what = "index.json";

bool is_supported(std::string_view media_type) {
  return media_type == spec::media_type::oci_manifest || media_type == spec::media_type::oci_index ||
         media_type == spec::media_type::docker_manifest || media_type == spec::media_type::docker_list;
}

std::size_t choose_at(std::size_t index, std::size_t count) {
  if (index < count) return index;
  throw Error(Kind::invalid_input, "index " + std::to_string(index) + " is too large, only " +
                                       std::to_string(count) + " entries available");
}

std::size_t choose_by_name(const std::string& image, const std::vector<spec::Descriptor>& manifests) {
  std::string unsupported;
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (LayoutIndex::name_of(manifests[i]) != image) continue;
    if (is_supported(manifests[i].media_type)) return i;
    unsupported += (unsupported.empty() ? "\"" : " \"") + manifests[i].media_type + "\"";
  }
  if (unsupported.empty()) {
    throw Error(Kind::image_not_found, "no descriptor found for reference \"" + image + "\"");
  }
  throw Error(Kind::invalid_input,
              "reference \"" + image + "\" matches unsupported manifest MIME types [" + unsupported + "]");
}

// Artifacts that belong to an image (signatures, SBOMs) say so in their entries and are not meant.
std::size_t choose_only(const std::vector<spec::Descriptor>& manifests) {
  const auto is_image = [](const spec::Descriptor& entry) { return entry.artifact_type.empty(); };
  if (manifests.size() == 1) return 0;
  if (std::count_if(manifests.begin(), manifests.end(), is_image) != 1) {
    throw Error(Kind::invalid_input, "more than one image in oci, choose an image");
  }
  return static_cast<std::size_t>(std::find_if(manifests.begin(), manifests.end(), is_image) -
                                  manifests.begin());
}

}  // namespace

LayoutIndex::LayoutIndex()
    : document_({{"schemaVersion", 2},
                 {"mediaType", spec::media_type::oci_index},
                 {"manifests", spec::Json::array()}}) {}

LayoutIndex::LayoutIndex(std::string_view text) : document_(spec::parse_json(text, what, max_index_size)) {
  if (!document_.is_object()) throw Error(Kind::invalid_input, "index.json: not an object");
  manifests_ = spec::parse_descriptors(document_, "manifests", what);
}

std::string LayoutIndex::name_of(const spec::Descriptor& entry) {
  const auto found = entry.annotations.find(std::string(ref_name_annotation));
  return found == entry.annotations.end() ? "" : found->second;
}

std::size_t LayoutIndex::choose(const LayoutName& name) const {
  if (name.index) return choose_at(*name.index, manifests_.size());
  if (!name.image.empty()) return choose_by_name(name.image, manifests_);
  return choose_only(manifests_);
}

spec::Json& LayoutIndex::entries() {
  spec::Json& entries = document_["manifests"];
  if (entries.is_null()) entries = spec::Json::array();
  return entries;
}

void LayoutIndex::add(const spec::Descriptor& entry) {
  const std::string name = name_of(entry);
  const auto has_name = [&](const spec::Descriptor& other) { return name_of(other) == name; };
  const auto old = std::find_if(manifests_.begin(), manifests_.end(), has_name);
  if (!name.empty() && old != manifests_.end()) {
    old->annotations.erase(std::string(ref_name_annotation));
    spec::Json& json = entries()[static_cast<std::size_t>(old - manifests_.begin())];
    json["annotations"].erase(std::string(ref_name_annotation));
    if (json["annotations"].empty()) json.erase("annotations");
  }
  const auto same = std::find_if(manifests_.begin(), manifests_.end(), [&](const spec::Descriptor& other) {
    return other.digest == entry.digest && name_of(other).empty();
  });
  const auto json = spec::instance_json(entry, spec::Flavor::oci);
  if (same != manifests_.end()) {
    entries()[static_cast<std::size_t>(same - manifests_.begin())] = json;
    *same = entry;
  } else {
    entries().push_back(json);
    manifests_.push_back(entry);
  }
}

void LayoutIndex::remove(std::size_t position) {
  entries().erase(position);
  manifests_.erase(manifests_.begin() + static_cast<std::ptrdiff_t>(position));
}

std::string LayoutIndex::serialize() const {
  return spec::dump_json(document_);
}

}  // namespace lade::transport::oci
