// Certificates that come with a signature: short-lived ones of Fulcio, and those of a PKI of one's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trust/keys.hpp"

namespace lade::trust {

struct CertificateRule {
  std::string roots;          // PEM; each is trusted by itself
  std::string intermediates;  // PEM, ""
  std::string oidc_issuer;    // of Fulcio; "": not looked for
  std::string email;          // a subject alternative name; "": not looked for
  std::string hostname;       // as for TLS; "": not looked for
};

// The key of `certificate` (one, in PEM) if it leads to a root by way of `chain` (PEM, untrusted), is for
// signing code, was valid at `time` (seconds since 1970; nullopt: now) and is for whom the rule names.
// Kind::denied otherwise; Kind::invalid_input for a rule whose certificates cannot be read.
PublicKey verify_certificate(const CertificateRule& rule, std::string_view certificate,
                             std::string_view chain, const std::optional<std::int64_t>& time);

}  // namespace lade::trust
