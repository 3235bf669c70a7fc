// What signatures look like in files (containers-signature(5), and containers/image for other formats).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"

namespace lade::transport {

// Of one signature, and of all of one manifest together.
inline constexpr std::size_t max_signature_size = 4 << 20;
inline constexpr std::size_t max_signatures_size = 64 << 20;

// Returns for an OpenPGP message (simple signing), and for NUL, "simple-signing" or "sigstore-json", a line
// feed and data. Kind::invalid_input for anything else. What is inside is not looked at.
void check_signature_format(std::string_view signature);

// The message in a document of simple signing. `signature` MUST have passed check_signature_format and be no
// sigstore signature.
std::string_view simple_signing_message(std::string_view signature);

// A layer of a cosign attachment: what was signed, and the signature and certificates as annotations. Nobody
// has verified it.
struct SigstoreSignature {
  std::string media_type;
  std::string payload;
  spec::Annotations annotations;
  bool operator==(const SigstoreSignature&) const = default;
};

namespace sigstore {
inline constexpr std::string_view payload_type = "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view signature_annotation = "dev.cosignproject.cosign/signature";
inline constexpr std::string_view bundle_annotation = "dev.sigstore.cosign/bundle";
inline constexpr std::string_view certificate_annotation = "dev.sigstore.cosign/certificate";
inline constexpr std::string_view chain_annotation = "dev.sigstore.cosign/chain";
}  // namespace sigstore

bool is_sigstore_signature(std::string_view signature);
// Kind::invalid_input for what is malformed.
SigstoreSignature parse_sigstore_signature(std::string_view signature);
std::string serialize(const SigstoreSignature& signature);

}  // namespace lade::transport
