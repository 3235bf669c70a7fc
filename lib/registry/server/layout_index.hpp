// index.json of a layout as a value, seen as repositories with tags (the rules are in registry/server.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"
#include "spec/json.hpp"

namespace lade::registry::server {

inline constexpr std::size_t max_index_size = 64 * 1024 * 1024;

// The repository of entries that do not name one.
std::string default_repository(std::string_view folder);

class LayoutIndex {
 public:
  struct Entry {
    std::string repository;
    std::optional<std::string> tag;
    spec::Digest digest;
    std::string media_type;  // "" if the entry does not say
  };

  // Without entries.
  explicit LayoutIndex(std::string repository);
  // Kind::invalid_input for anything that is not an index.
  LayoutIndex(std::string_view text, std::string repository);

  // Entries that are no descriptors are left out.
  std::vector<Entry> entries() const;

  // Names the manifest. What had the tag before stays in the repository without a tag.
  void set_tag(const std::string& repository, const std::string& tag, const spec::Descriptor& manifest);
  // Adds the manifest without a tag, unless the repository has it already.
  void add(const std::string& repository, const spec::Descriptor& manifest);
  // The manifest stays in the repository. False if there is no such tag.
  bool remove_tag(const std::string& repository, std::string_view tag);
  // With all its tags. False if the repository has no entry for it.
  bool remove_manifest(const std::string& repository, const spec::Digest& digest);

  std::string dump() const;

 private:
  struct Located;
  std::vector<Located> locate() const;
  std::optional<Entry> entry(const spec::Json& descriptor) const;
  void append(const spec::Descriptor& manifest, std::string_view annotation, const std::string& value);
  void erase(std::size_t position);

  std::string repository_;
  spec::Json document_;
};

}  // namespace lade::registry::server
