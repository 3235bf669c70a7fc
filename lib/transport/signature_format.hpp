// What signatures look like in files (containers-signature(5), and containers/image for other formats).
#pragma once

#include <string_view>

namespace lade::transport {

// Returns for an OpenPGP message (simple signing), and for NUL, "simple-signing" or "sigstore-json", a line
// feed and data. Kind::invalid_input for anything else. What is inside is not looked at.
void check_signature_format(std::string_view signature);

}  // namespace lade::transport
