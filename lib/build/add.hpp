// Content for working containers: `copy` and `add`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hpp"
#include "build/content_stream.hpp"

namespace lade::build {

struct AddSource {
  std::string name;                  // a path or pattern; of a download the name that it has there
  std::filesystem::path downloaded = {};  // "" for a local one
  std::int64_t modified = 0;              // of a download: seconds after 1970
  // Of a repository: what is in this directory is taken, and nothing outside of it.
  std::filesystem::path tree = {};
};

struct AddOptions {
  bool extract = false;  // local archives are unpacked
  std::string chown;     // "user[:group]" of the container; "": root, or with keep_owners what they have
  bool keep_owners = false;
  layer::IdMaps source_ids = {};  // with which the files in the context are shifted
  std::string chmod;  // octal; "": what they have
  std::optional<std::int64_t> timestamp;
  // Where names start and nothing outside is reached; "": "/", and relative names start in the current
  // directory.
  std::filesystem::path context_directory;
  std::vector<std::string> excludes;  // patterns, relative to the context directory
  std::string ignore_file;            // where some of them are from, for messages
  bool parents = false;               // names keep their directories; "/./" says from where on
  bool link = false;                  // a layer of their own, which does not look at what is there
  bool with_digest = true;
};

// `destination` "" is the working directory of the container, relative ones start there. Nothing outside of
// the container is written to, nothing outside of the context read, whatever links say. Errors have buildah's
// words.
ContentDigests::Summary add_content(const Builders& builders, Builder& builder,
                                    const std::string& destination, const std::vector<AddSource>& sources,
                                    const AddOptions& options);

// Patterns of `file`, or of the directory's .containerignore or .dockerignore.
struct IgnoreFile {
  std::vector<std::string> patterns;
  std::string path;  // "" if there is none
};
IgnoreFile read_ignore_file(const std::filesystem::path& context_directory, const std::string& file);

}  // namespace lade::build
