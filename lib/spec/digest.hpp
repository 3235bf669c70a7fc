// Content digests (OCI image-spec, descriptor.md "Digests"). A Digest is always valid: one of the registered
// algorithms and the right number of lower-case hex characters, so it can name a file without a check.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lade::spec {

class Digest {
 public:
  enum class Algorithm { sha256, sha512 };

  // "sha256:<64 hex>" or "sha512:<128 hex>"; Kind::invalid_input otherwise
  // ("invalid checksum digest format", "invalid checksum digest length", "unsupported digest algorithm").
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  // hex must be lower case and of the algorithm's length; throws as parse.
  static Digest from_hex(Algorithm algorithm, std::string_view hex);

  Algorithm algorithm() const { return algorithm_; }
  std::string_view algorithm_name() const;  // "sha256"
  const std::string& hex() const { return hex_; }
  std::string str() const;  // "sha256:<hex>"
  std::string short_hex() const { return hex_.substr(0, 12); }

  auto operator<=>(const Digest&) const = default;

 private:
  Digest(Algorithm algorithm, std::string hex) : algorithm_(algorithm), hex_(std::move(hex)) {}
  Algorithm algorithm_;
  std::string hex_;
};

}  // namespace lade::spec

template <>
struct std::hash<lade::spec::Digest> {
  std::size_t operator()(const lade::spec::Digest& digest) const noexcept {
    return std::hash<std::string>()(digest.hex());
  }
};
