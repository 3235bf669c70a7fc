// JSON Web Keys (RFC 7517, RFC 7518 section 6) of kinds RSA and EC, and the same keys in OpenSSL's form.
#pragma once

#include <string>
#include <string_view>

#include "crypt/keys.hpp"
#include "spec/json.hpp"

namespace lade::crypt {

struct Jwk {
  Key key;
  bool is_private = false;
  std::string algorithm, key_id;  // "" if absent
};

// Kind::invalid_input for anything else.
Jwk parse_jwk(const spec::Json& jwk);
// The public half of an EC key: kty, crv, x, y.
spec::Json ec_public_jwk(const Key& key);

bool is_rsa(const Key& key);
// "P-256", "P-384" or "P-521"; "" for every other key.
std::string_view curve_of(const Key& key);
// Kind::system.
Key generate_ec_key(std::string_view curve);

}  // namespace lade::crypt
