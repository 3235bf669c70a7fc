// Docker references: [domain/]path[:tag][@digest] (distribution/reference grammar, normalised as docker does:
// docker.io and library/ are filled in, index.docker.io becomes docker.io).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "spec/digest.hpp"

namespace lade::spec {

class Reference {
 public:
  // Kind::invalid_input with distribution's texts: "invalid reference format",
  // "invalid reference format: repository name must be lowercase",
  // "invalid repository name (X), cannot specify 64-byte hexadecimal strings".
  static Reference parse(std::string_view text);

  const std::string& domain() const { return domain_; }  // "docker.io", "localhost:5000", "[::1]:5000"
  const std::string& path() const { return path_; }      // "library/busybox"
  std::string name() const { return domain_ + "/" + path_; }
  const std::optional<std::string>& tag() const { return tag_; }
  const std::optional<Digest>& digest() const { return digest_; }
  bool is_name_only() const { return !tag_ && !digest_; }

  // Full form, "docker.io/library/busybox:latest"; parse(str()) gives an equal Reference.
  std::string str() const;
  // As docker shows it: "busybox:latest".
  std::string familiar() const;

  Reference without_tag_or_digest() const;
  // Kind::invalid_input for an invalid tag.
  Reference with_tag(std::string_view tag) const;
  Reference with_digest(const Digest& digest) const;  // drops the tag
  // Adds ":latest" when there is neither tag nor digest (distribution's TagNameOnly).
  Reference with_default_tag() const;

  bool operator==(const Reference&) const = default;

 private:
  Reference() = default;
  std::string domain_, path_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

bool is_valid_tag(std::string_view tag);

}  // namespace lade::spec
