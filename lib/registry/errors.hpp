// From a registry's refusal to an Error, in the words that scripts know from containers/image.
#pragma once

#include <string>
#include <string_view>

#include "registry/client.hpp"
#include "registry/http.hpp"

namespace lade::registry {

// Longest body of an error that is read.
inline constexpr std::uint64_t max_error_body = 64 * 1024;

// "404 Not Found".
std::string status_line(int status);

// Reads the body of `response`. The text, from a document {errors: [...]}, is the first entry's message
// ("manifest unknown"; "code: message" when the message is not the usual one of its code); for other bodies
// `StatusCode: 404, "<50 characters>..."`; for 5xx `received unexpected HTTP status: 502 Bad Gateway`; for
// 429 "too many requests to registry". Kind: denied (401, 403), not_found (404; image_not_found for
// MANIFEST_UNKNOWN), unavailable (408, 429, 5xx), unsupported (405, 415, 501), invalid_input for all others.
RegistryError response_error(HttpResponse& response);

// For bodies whose words do not matter: "<what>: received unexpected HTTP status: 403 Forbidden"; 401 is
// `unable to retrieve auth token: invalid username/password: <words of the registry>`, 429 as above.
RegistryError status_error(HttpResponse& response, std::string_view what);

// Reads what is left of a small body, so that the connection can serve the next request.
void discard(HttpResponse& response);

}  // namespace lade::registry
