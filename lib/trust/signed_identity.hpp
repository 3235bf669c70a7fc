// Does the name in a signature stand for the image? The "signedIdentity" of containers-policy.json(5).
#pragma once

#include <optional>
#include <string_view>

#include "config/policy.hpp"
#include "spec/reference.hpp"

namespace lade::trust {

// `image`: the name it is used by; nullopt if it has none. The digest in the signature is not looked at:
// whoever asks MUST compare it with the manifest's.
bool is_accepted_identity(const config::SignedIdentity& rule, const std::optional<spec::Reference>& image,
                          std::string_view signed_reference);

}  // namespace lade::trust
