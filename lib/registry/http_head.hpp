// Heads of HTTP/1.1 messages, written and read by cpp-httplib. This is all that httplib does here: it never
// sees a socket or a body, and no exception crosses its frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/http.hpp"

namespace lade::registry {

// How the body of a message is told from what follows it.
struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // of Kind::length
};

// `target` goes into the request line as it is. Host, Accept and User-Agent are up to the caller;
// Content-Length or Transfer-Encoding are added from `body`.
// Kind::invalid_input for a header whose name or value cannot be sent ("net/http: invalid header field ...").
std::string format_request_head(const std::string& method, const std::string& target, const Headers& headers,
                                const Framing& body);

struct ResponseHead {
  int status = 0;
  std::string reason;
  bool http_1_0 = false;
  Headers headers;  // values byte-exact, without the spaces around them

  std::string_view header(std::string_view name) const;  // first match, "" if absent
  std::vector<std::string_view> header_values(std::string_view name) const;
  // True if one of the comma-separated words of the header is `token`, without case.
  bool has_token(std::string_view name, std::string_view token) const;
  bool keeps_alive() const;
};

// `raw`: from the status line to the empty line. Lines may end in a bare LF. Kind::invalid_input
// "malformed HTTP response ..." for anything that is not a head, or has more than 200 lines.
ResponseHead parse_response_head(std::string_view raw);

// RFC 9112 section 6.3. Kind::invalid_input for contradictory lengths, Kind::unsupported for unknown codings.
Framing body_framing(const ResponseHead& head, std::string_view method);

// "200 OK".
std::string status_text(const ResponseHead& head);

}  // namespace lade::registry
