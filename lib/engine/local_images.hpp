// The images of the local store as an engine sees them: by the names that people use, with sizes, labels and
// the relations between them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/registries_conf.hpp"
#include "engine/times.hpp"
#include "spec/image_config.hpp"
#include "store/store.hpp"

namespace lade::engine {

// A snapshot; configurations are read when they are needed, and kept. For one thread.
class LocalImages {
 public:
  LocalImages(Context context, std::shared_ptr<store::Store> store, const config::RegistriesConf& registries);

  const Context& context() const { return context_; }
  store::Store& store() const { return *store_; }
  // In the store's order.
  const std::vector<store::ImageRecord>& all() const { return images_; }
  const store::ImageRecord* by_id(std::string_view id) const;

  // What `name` means: an ID or its beginning, a name as local_candidates() completes it, or the last parts
  // of a name with its tag. Kind::invalid_input for what is no name.
  struct Found {
    const store::ImageRecord* image;
    std::string name;  // which of its names was meant; "" if it was found by ID or digest
  };
  std::optional<Found> find(std::string_view name) const;
  Found get(std::string_view name) const;  // Kind::image_not_found "NAME: image not known"

  // The same for commands that are about an image's content: of a list, the image for this machine where it is
  // in the store.
  Found get_image(std::string_view name) const;
  std::optional<Found> find_image(std::string_view name) const;

  // The manifest as it was put first, and the config it names.
  std::string manifest(const store::ImageRecord& image) const;
  // nullptr if there is none: of lists, and of what cannot be parsed.
  const spec::ImageConfig* config(const store::ImageRecord& image) const;
  std::map<std::string, std::string> labels(const store::ImageRecord& image) const;
  // Of its layers' tars, its config and manifests.
  std::uint64_t size(const store::ImageRecord& image) const;
  Instant created(const store::ImageRecord& image) const { return time_or_epoch(image.created); }
  bool is_list(const store::ImageRecord& image) const;
  // "name@digest", sorted.
  std::vector<std::string> repo_digests(const store::ImageRecord& image) const;
  bool is_read_only(const store::ImageRecord& image) const;
  // IDs of the containers that use it.
  std::vector<std::string> containers_of(const store::ImageRecord& image) const;

  // One image was built on another if it has its layers and at most one more, its history and one entry more.
  const store::ImageRecord* parent(const store::ImageRecord& image) const;
  std::vector<const store::ImageRecord*> children(const store::ImageRecord& image) const;
  bool is_dangling(const store::ImageRecord& image) const;      // without a name, and nothing is built on it
  bool is_intermediate(const store::ImageRecord& image) const;  // without a name, but something is

  const store::LayerRecord* layer(std::string_view id) const;

 private:
  std::optional<Found> find_named(const spec::Reference& reference) const;
  std::optional<Found> find_by_ending(const spec::Reference& reference, std::string_view typed) const;
  bool is_built_on(const store::ImageRecord& child, const store::ImageRecord& parent) const;
  std::string parent_layer(const std::string& id) const;

  Context context_;
  std::shared_ptr<store::Store> store_;
  const config::RegistriesConf& registries_;
  std::vector<store::ImageRecord> images_;
  std::map<std::string, store::LayerRecord, std::less<>> layers_;
  std::multimap<std::string, std::size_t> by_layer_;
  mutable std::map<std::string, std::optional<spec::ImageConfig>> configs_;
  mutable std::optional<std::vector<store::ContainerRecord>> containers_;
};

// Whether it is one of buildah's; others are those of engines such as podman and CRI-O.
bool is_working_container(const store::Store& store, const std::string& id);

// "docker.io/library/alpine" and "3.18"; "" for what the name does not have.
struct NameParts {
  std::string repository, tag, digest;
};
NameParts split_name(const std::string& name);

}  // namespace lade::engine
