// ECDH-ES of JOSE (RFC 7518 section 4.6): the key that wraps another key.
#pragma once

#include <string>
#include <string_view>

#include "crypt/keys.hpp"
#include "crypt/layer_secret.hpp"

namespace lade::crypt {

struct AgreementInfo {
  std::string algorithm;         // "ECDH-ES+A256KW"
  std::string party_u, party_v;  // apu, apv, decoded
};

// Both on one curve; `own` with its private half. `size` in bytes, at most 32. Kind::invalid_input for keys
// that do not go together.
Secret agree(const Key& own, const Key& peer, const AgreementInfo& info, std::size_t size);

}  // namespace lade::crypt
