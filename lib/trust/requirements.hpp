// Requirements of policy.json that look at signatures. Internal to trust/.
#pragma once

#include <filesystem>

#include "base/context.hpp"
#include "config/policy.hpp"
#include "trust/payload.hpp"
#include "trust/unparsed_image.hpp"

namespace lade::trust {

// Each returns if one of the image's signatures satisfies the requirement; Kind::denied otherwise, with the
// reason for each signature. A key that cannot be read satisfies nothing.
void require_signed_by(const config::SignedBy& rule, UnparsedImage& image,
                       const std::filesystem::path& scratch);
void require_sigstore_signed(const config::SigstoreSigned& rule, UnparsedImage& image);

// For both, after the cryptographic part: is the payload about this manifest and this name?
void check_payload(const SignedPayload& payload, const config::SignedIdentity& identity,
                   const UnparsedImage& image);

// Whether the manifest has this digest, of whatever algorithm.
bool has_digest(const spec::RawManifest& manifest, const spec::Digest& digest);

// Reads the files that a requirement names, or what it holds itself.
struct KeySources {
  std::string path, data;
  std::vector<std::string> paths, datas;
};
std::vector<std::string> load_keys(const KeySources& sources);

// Kind::denied "A signature was required, but no signature exists" + `without`, the one reason, or all of
// them.
[[noreturn]] void refuse_signatures(const std::vector<std::string>& reasons, const std::string& without);

}  // namespace lade::trust
