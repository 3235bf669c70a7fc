// An image of which nothing was looked at yet but the bytes of its manifest: what policies decide over.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "spec/manifest.hpp"
#include "transport/transport.hpp"

namespace lade::trust {

// Not thread-safe.
class UnparsedImage {
 public:
  // Documents as of transport::SignatureSource.
  using ReadSignatures = std::function<std::vector<std::string>()>;

  // Refers to reference and manifest. `manifest` MUST have been checked against the digest that names it, if
  // one does. Signatures are read when the first who needs them asks.
  UnparsedImage(const transport::ImageReference& reference, const spec::RawManifest& manifest,
                ReadSignatures read_signatures)
      : reference_(reference), manifest_(manifest), read_signatures_(std::move(read_signatures)) {}

  const transport::ImageReference& reference() const { return reference_; }
  const spec::RawManifest& manifest() const { return manifest_; }
  const std::vector<std::string>& signatures() {
    if (!signatures_) signatures_ = read_signatures_();
    return *signatures_;
  }

 private:
  const transport::ImageReference& reference_;
  const spec::RawManifest& manifest_;
  ReadSignatures read_signatures_;
  std::optional<std::vector<std::string>> signatures_;
};

}  // namespace lade::trust
