// Rekor's promise that a signature is in its log: the "bundle" annotation of cosign, a signed entry timestamp
// over one hashedrekord entry.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "trust/keys.hpp"

namespace lade::trust {

// What the log entry must be about.
struct LoggedSignature {
  std::string_view key_or_certificate;  // PEM
  std::string_view base64_signature;
  std::string_view payload;
};

// When the log took the entry, in seconds since 1970. Kind::denied if the promise is not signed by one of the
// keys, or is about something else.
std::int64_t verify_rekor_set(const std::vector<PublicKey>& keys, std::string_view bundle,
                              const LoggedSignature& logged);

}  // namespace lade::trust
