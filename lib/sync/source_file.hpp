// The YAML file that names what to sync (skopeo-sync(1), "YAML file content").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/options.hpp"

namespace lade::sync {

struct FileEntry {
  std::string registry;
  // Repository -> tags and digests; none: all tags.
  std::vector<std::pair<std::string, std::vector<std::string>>> images;
  std::vector<std::pair<std::string, std::string>> images_by_tag_regex;
  std::vector<std::pair<std::string, std::string>> images_by_semver;
  std::optional<registry::Credentials> credentials;
  std::optional<bool> tls_verify;
  std::string cert_dir;

  bool names_nothing() const {
    return images.empty() && images_by_tag_regex.empty() && images_by_semver.empty();
  }
};

struct SourceFile {
  std::vector<FileEntry> registries;  // in the order of the file
  std::vector<std::string> warnings;  // of keys that nobody knows, with file and line

  // Kind::invalid_input `Failed to unmarshal "<file>": line N: ...` for what is no YAML, for values of
  // another type than they should be, and for a key twice in one place.
  static SourceFile parse(const std::string& text, const std::string& file);
};

inline constexpr std::size_t max_source_file = 16 * 1024 * 1024;

}  // namespace lade::sync
