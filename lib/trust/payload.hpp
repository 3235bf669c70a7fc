// What is signed: containers-signature(5), "JSON Data Format", and cosign's SIGNATURE_SPEC.md, which is the
// same with another type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/digest.hpp"

namespace lade::trust {

enum class PayloadType { simple_signing, sigstore };

// As it came: nothing here is to be believed unless its signature was verified first.
struct SignedPayload {
  spec::Digest manifest;
  std::string reference;  // any text
  std::optional<std::string> creator = {};
  std::optional<std::int64_t> timestamp = {};  // seconds since 1970
};

// Strict: other members than these, and one twice, are Kind::denied, except in "optional".
SignedPayload parse_payload(std::string_view json, PayloadType type);
// As containers/image writes it.
std::string serialize(const SignedPayload& payload, PayloadType type);

}  // namespace lade::trust
