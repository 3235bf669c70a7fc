// Images of working containers.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "build/builder.hpp"
#include "build/image_draft.hpp"

namespace lade::build {

struct CommitOptions : ImageOptions {
  bool rewrite_timestamp = false;  // files that are newer than source_date_epoch become as old
  bool gzip = false;               // what the new layer is called by in the manifest
  // Further files, in a layer of their own unless there is to be only one: name in the image, file here.
  std::vector<std::pair<std::string, std::filesystem::path>> add_files;
  // Full references that the image gets.
  std::vector<std::string> names;
};

struct Committed {
  std::string id;
  spec::RawManifest manifest;
  bool was_there = false;  // the store had this image
};

// The container's changes are read once: while they are written into the layer they are hashed, and their
// tar-split is made. The container stays as it is. The same changes give the same image, if its time is
// fixed.
Committed commit(const Builders& builders, const Builder& builder, const CommitOptions& options);

}  // namespace lade::build
