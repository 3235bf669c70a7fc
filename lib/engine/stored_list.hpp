// Manifest lists in the local store, as podman and buildah keep them: an image without layers whose manifest is
// the list, with two items beside it that say where the images and artifacts are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/local_images.hpp"
#include "engine/manifest_list.hpp"
#include "os/record_lock.hpp"

namespace lade::engine {

// Artifacts that were made from files of this machine ("artifacts.json").
struct ListArtifacts {
  std::map<std::string, std::string> manifests;              // digest -> the manifest
  std::map<std::string, std::vector<std::string>> files;     // digest of a manifest -> paths
  std::map<std::string, std::string> configs;                // digest of a manifest -> that of its config
  std::map<std::string, std::vector<std::string>> layers;    // digest of a manifest -> those of its layers
  std::map<std::string, std::string> detached;               // digest of a blob -> path
  std::map<std::string, std::string> blobs;                  // digest of a blob -> its bytes

  static ListArtifacts parse(std::string_view json);
  std::string serialize() const;
};

struct StoredList {
  std::string id;
  ManifestList list;
  std::map<std::string, std::string> instances;  // digest -> name of the image with its transport
  ListArtifacts artifacts;

  // Kind::image_not_found "NAME: image not known"; NotAList for an image that is none.
  static StoredList load(const LocalImages& images, std::string_view name);
  void save(const Context& context, store::Store& store) const;
};

class NotAList : public Error {
 public:
  using Error::Error;
};

// An empty list of that name. Kind::already_exists `image name "N" is already associated with image "ID": that
// name is already in use`.
StoredList create_list(const LocalImages& images, const std::string& name);

// Held from loading to saving: programs that change a list wait for each other.
os::RecordLock lock_list(const Context& context, const store::Store& store, const std::string& id);

}  // namespace lade::engine
