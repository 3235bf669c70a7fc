// Signatures of an image in the store: all of one manifest in one item of big data, their lengths in the
// image's metadata.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/digest.hpp"

namespace lade::transport::containers_storage {

struct SignatureSizes {
  std::vector<std::uint64_t> of_image;  // {"signature-sizes":[...]}
  std::map<std::string, std::vector<std::uint64_t>>
      of_manifests;  // {"signatures-sizes":{"sha256:...":[...]}}

  // Of the image's metadata; none in what is not such a document.
  static SignatureSizes parse(std::string_view metadata);
  std::string serialize() const;
};

// The item that holds them; nullopt: those of the image.
std::string signature_key(const std::optional<spec::Digest>& manifest);

std::string joined_signatures(const std::vector<std::string>& signatures);
std::vector<std::uint64_t> sizes_of(const std::vector<std::string>& signatures);
// Kind::integrity if the sizes do not add up.
std::vector<std::string> split_signatures(const std::string& joined, const std::vector<std::uint64_t>& sizes);

}  // namespace lade::transport::containers_storage
