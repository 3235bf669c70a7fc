// Base64 with the alphabet of URLs and file names, without padding (RFC 4648 section 5, as JWS uses it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lade::spec {

std::string base64url_encode(std::string_view bytes);
// Padding may be there. nullopt for anything that no encoder writes.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace lade::spec
