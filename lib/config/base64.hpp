// RFC 4648 section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lade::config {

std::string base64_encode(std::string_view bytes);
// Padding is required, line ends are skipped; nullopt for anything else that is not in the alphabet.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace lade::config
