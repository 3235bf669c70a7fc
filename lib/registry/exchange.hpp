// One request and the head of its response, over one connection.
#pragma once

#include "registry/connection.hpp"
#include "registry/http.hpp"
#include "registry/http_head.hpp"

namespace lade::registry {

// What is sent after the head. At most one of the two sources; see HttpRequest.
struct RequestBody {
  std::string_view text;
  io::Reader* reader = nullptr;
  Framing framing;
};
RequestBody body_of(const HttpRequest& request);

struct Answer {
  ResponseHead head;
  // False: the answer came before the whole request was sent, so the connection has no second use.
  bool request_sent = true;
};

// Sends `head` (from format_request_head) and the body, coalesced, and waits for the head of the answer. 1xx
// answers are dropped. An answer during the upload ends the upload. A reader is read to its end, and the last
// piece is only sent after that: a body that fails its own check is never complete on the other side.
// Kind::unavailable "EOF", "unexpected EOF", "read tcp ...: connection reset by peer"; Kind::invalid_input
// for an answer that is not HTTP/1.x or too large; Kind::integrity when the reader does not give
// framing.length bytes.
Answer exchange(Connection& connection, const std::string& head, const RequestBody& body);

}  // namespace lade::registry
