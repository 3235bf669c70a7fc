#include <algorithm>
#include <limits>
#include <tuple>

#include "base/error.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"

namespace lade::spec {

namespace {

using namespace media_type;

constexpr auto no_match = std::numeric_limits<std::size_t>::max();
constexpr auto without_platform = no_match - 1;

bool is_same_platform(const Platform& a, const Platform& b) {
  return a.os == b.os && a.architecture == b.architecture && a.variant == b.variant;
}

// The position of the instance's platform among the wanted ones.
std::size_t rank_of(const Descriptor& instance, const std::vector<Platform>& wanted, bool is_oci) {
  if (!instance.platform) return is_oci ? without_platform : no_match;
  const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const Platform& platform) {
    return is_same_platform(*instance.platform, platform);
  });
  return found == wanted.end() ? no_match : static_cast<std::size_t>(found - wanted.begin());
}

bool is_zstd(const Descriptor& instance) {
  const auto annotation = instance.annotations.find("io.github.containers.compression.zstd");
  return annotation != instance.annotations.end() && annotation->second == "true";
}

}  // namespace

struct Index::Impl {
  Json document;
  std::string media_type;
  std::vector<Descriptor> instances;
  std::optional<Descriptor> subject;
  std::string artifact_type;
  Annotations annotations;

  // From a document that parse_document has checked.
  static Impl from(Json document, std::string_view media_type) {
    const std::string what = "invalid manifest of type " + std::string(media_type);
    Impl impl;
    impl.media_type = media_type;
    impl.instances = parse_descriptors(document, "manifests", what);
    impl.subject = parse_subject(document, what);
    impl.artifact_type = string_member(document, "artifactType", what);
    impl.annotations = string_map_member(document, "annotations", what).value_or(Annotations());
    impl.document = std::move(document);
    return impl;
  }
};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(const Index& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Index& Index::operator=(const Index& other) {
  impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::parse(std::string_view bytes, std::string_view media_type) {
  Json document = parse_document(bytes, media_type, {docker_list, oci_index}, {"manifests"});
  return Index(std::make_unique<Impl>(Impl::from(std::move(document), media_type)));
}

Index Index::make(std::string_view media_type, const std::vector<Descriptor>& instances) {
  const Flavor flavor = flavor_of(media_type);
  Json document = {{"schemaVersion", 2}, {"mediaType", media_type}, {"manifests", Json::array()}};
  Json& list = document["manifests"];
  for (const Descriptor& instance : instances) list.push_back(instance_json(instance, flavor));
  return parse(dump_json(document), media_type);
}

const std::string& Index::media_type() const {
  return impl_->media_type;
}
const std::vector<Descriptor>& Index::instances() const {
  return impl_->instances;
}
const std::optional<Descriptor>& Index::subject() const {
  return impl_->subject;
}
const std::string& Index::artifact_type() const {
  return impl_->artifact_type;
}
const Annotations& Index::annotations() const {
  return impl_->annotations;
}

const Descriptor& Index::choose(const PlatformChoice& choice) const {
  const bool is_oci = impl_->media_type == oci_index;
  const std::vector<Platform> wanted = wanted_platforms(choice);
  const auto order = [&](const Descriptor& instance) {
    return std::make_tuple(rank_of(instance, wanted, is_oci), is_oci && !is_zstd(instance));
  };
  const auto best = std::min_element(impl_->instances.begin(), impl_->instances.end(),
                                     [&](const auto& a, const auto& b) { return order(a) < order(b); });
  if (best == impl_->instances.end() || rank_of(*best, wanted, is_oci) == no_match)
    throw Error(Kind::invalid_input, std::string("no image found in ") +
                                         (is_oci ? "image index" : "manifest list") + " for architecture \"" +
                                         wanted[0].architecture + "\", variant \"" + wanted[0].variant +
                                         "\", OS \"" + wanted[0].os + "\"");
  return *best;
}

Index Index::with_instances(const std::vector<Descriptor>& updated) const {
  if (updated.size() != impl_->instances.size())
    throw Error(Kind::invalid_input, "a list of " + std::to_string(impl_->instances.size()) +
                                         " instances cannot be updated with " +
                                         std::to_string(updated.size()));
  Json document = impl_->document;
  Json& list = document["manifests"];
  for (std::size_t i = 0; i < updated.size(); ++i) update_descriptor_json(list[i], updated[i]);
  return Index(std::make_unique<Impl>(Impl::from(std::move(document), impl_->media_type)));
}

Index Index::with_subset(const std::vector<bool>& keep) const {
  if (keep.size() != impl_->instances.size())
    throw Error(Kind::invalid_input, "a choice of instances does not fit the list");
  Json document = impl_->document;
  Json& list = document["manifests"];
  Json kept = Json::array();
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) kept.push_back(std::move(list[i]));
  list = std::move(kept);
  return Index(std::make_unique<Impl>(Impl::from(std::move(document), impl_->media_type)));
}

Index Index::as_media_type(std::string_view media_type) const {
  if (media_type == impl_->media_type) return *this;
  if (!is_list(media_type))
    throw Error(Kind::unsupported, "Can not convert manifest list to MIME type \"" + std::string(media_type) +
                                       "\", which is not a list type");
  std::vector<Descriptor> instances = impl_->instances;
  for (Descriptor& instance : instances) {
    if (media_type == docker_list && !instance.platform)
      instance.platform = Platform{host_os(), host_architecture(), "", "", {}};
    instance.annotations.clear();
  }
  return make(media_type, instances);
}

std::string Index::serialize() const {
  return dump_json(impl_->document);
}

}  // namespace lade::spec
