// Files as an artifact of a manifest list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/stored_list.hpp"

namespace lade::engine {

struct ArtifactRequest {
  std::vector<std::string> files;           // made absolute; they stay where they are
  std::optional<std::string> type;          // artifactType; application/vnd.unknown.artifact.v1 otherwise
  std::string layer_type;                   // "": guessed from name and content
  std::string config_type;                  // media type of the config; "": that of nothing, or OCI's
  std::string config_file;                  // "": the config is {}
  bool config_inline = false;               // the config file is kept in the manifest, not beside it
  bool exclude_titles = false;              // layers do not carry the names of their files
  spec::Annotations annotations;            // of the manifest
  std::optional<spec::Descriptor> subject;  // what it refers to
};

// The digest of the manifest that was made and added.
spec::Digest add_artifact(StoredList& stored, const ArtifactRequest& request);

// As Go's mime and net/http would, for common types: by the extension, else by the beginning of the content.
std::string guess_media_type(const std::string& file_name, std::string_view beginning);

}  // namespace lade::engine
