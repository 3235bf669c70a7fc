// What --tls-details asks for, in OpenSSL's terms.
#pragma once

#include <openssl/ssl.h>

#include "config/tls_details.hpp"

namespace lade::registry {

// Kind::invalid_input `unrecognized TLS cipher suite "X"`, `unrecognized TLS named group "X"`.
void apply_tls_details(SSL_CTX* context, const config::TlsDetails& details);

// The same without a connection to be made.
void check_tls_details(const config::TlsDetails& details);

}  // namespace lade::registry
