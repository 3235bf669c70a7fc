#include "registry/exchange.hpp"

#include <array>
#include <charconv>
#include <vector>

#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_head = 64 * 1024;  // of all heads of an answer together

enum class Progress { incomplete, informational, final };

// What the bytes at the front are. `end`: where the head ends.
Progress look_at(std::string_view bytes, std::size_t& end) {
  constexpr std::string_view version = "HTTP/1.";
  const std::size_t length = std::min(bytes.size(), version.size());
  if (bytes.substr(0, length) != version.substr(0, length)) {
    throw Error(Kind::invalid_input,
                "net/http: HTTP/1.x transport connection broken: malformed HTTP response " +
                    quote(bytes.substr(0, std::min<std::size_t>(bytes.find('\n'), 40))));
  }
  const std::size_t crlf = bytes.find("\n\r\n"), lf = bytes.find("\n\n");
  end = crlf < lf ? crlf + 3 : lf + 2;
  if (crlf == bytes.npos && lf == bytes.npos) return Progress::incomplete;
  return bytes.size() > 9 && bytes[9] == '1' ? Progress::informational : Progress::final;
}

// Collects the head of the answer in the connection's read-ahead.
class HeadCollector {
 public:
  explicit HeadCollector(Connection& connection) : connection_(connection) {}

  // Drops informational answers that are complete. True once a final answer has begun to arrive.
  bool has_begun() {
    while (!connection_.ahead().empty()) {
      const std::string_view bytes = connection_.ahead();
      if (total_ + bytes.size() > max_head + 16 * 1024) too_large();
      std::size_t end = 0;
      const Progress progress = look_at(bytes, end);
      if (progress == Progress::final) return true;
      if (progress == Progress::incomplete) return bytes.size() > 9 && bytes[9] != '1';
      drop(end);
    }
    return false;
  }

  ResponseHead collect() {
    while (true) {
      const std::string_view bytes = connection_.ahead();
      std::size_t end = 0;
      const Progress progress = bytes.empty() ? Progress::incomplete : look_at(bytes, end);
      if (total_ + (progress == Progress::incomplete ? bytes.size() : end) > max_head) too_large();
      if (progress == Progress::final) {
        ResponseHead head = parse_response_head(bytes.substr(0, end));
        connection_.consume(end);
        return head;
      }
      if (progress == Progress::informational) {
        drop(end);
      } else if (!connection_.fill()) {
        throw_end(bytes.empty() && total_ == 0);
      }
    }
  }

 private:
  // Why nothing more could be sent says more than that nothing came.
  [[noreturn]] void throw_end(bool nothing_came) {
    const Attempt& trouble = connection_.trouble();
    if (!trouble.trouble.empty()) throw Error(trouble.kind, trouble.trouble);
    throw Error(Kind::unavailable, nothing_came ? "EOF" : "unexpected EOF");
  }

  void drop(std::size_t count) {
    total_ += count;
    connection_.consume(count);
  }

  [[noreturn]] static void too_large() {
    throw Error(Kind::invalid_input,
                "net/http: server response headers exceeded " + std::to_string(max_head) + " bytes; aborted");
  }

  Connection& connection_;
  std::size_t total_ = 0;
};

iovec part_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

// Sends a request; stops when the server answers first.
class Sender {
 public:
  Sender(Connection& connection, HeadCollector& answer) : connection_(connection), answer_(answer) {}

  // False: the answer has begun, or the connection takes no more.
  bool send(const std::string& head, const RequestBody& body) {
    if (body.reader == nullptr) return send_parts({part_of(head), part_of(body.text), {}});
    if (body.framing.kind == Framing::Kind::chunked) return send_chunked(head, *body.reader);
    return send_sized(head, *body.reader, body.framing.length);
  }

 private:
  // In pieces of io::chunk_size, the first together with the head.
  bool send_sized(std::string_view head, io::Reader& reader, std::uint64_t length) {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(io::chunk_size, length));
    std::uint64_t left = length;
    do {
      const io::Buffer room = io::Buffer(buffer).first(std::min<std::uint64_t>(buffer.size(), left));
      const std::size_t size = room.empty() ? 0 : io::read_full(reader, room);
      left -= size;
      if (size < room.size()) throw_length(length, std::to_string(length - left));
      // The reader must come to its end, where it may refuse its bytes, before the last of them are sent.
      if (std::byte extra{}; left == 0 && reader.read({&extra, 1}) > 0) throw_length(length, "more");
      if (!send_parts({part_of(head), part_of(io::as_text(room)), {}})) return false;
      head = {};
    } while (left > 0);
    return true;
  }

  bool send_chunked(std::string head, io::Reader& reader) {
    std::vector<std::byte> buffer(io::chunk_size);
    while (true) {
      const std::size_t size = io::read_full(reader, buffer);
      const bool last = size < buffer.size();
      if (size > 0) head += chunk_head(size);
      const std::string_view tail = size == 0 ? "0\r\n\r\n" : last ? "\r\n0\r\n\r\n" : "\r\n";
      const std::string_view chunk = io::as_text(io::Bytes(buffer).first(size));
      if (!send_parts({part_of(head), part_of(chunk), part_of(tail)})) return false;
      if (last) return true;
      head.clear();
    }
  }

  // Go's words.
  [[noreturn]] static void throw_length(std::uint64_t length, const std::string& found) {
    throw Error(Kind::integrity,
                "http: ContentLength=" + std::to_string(length) + " with Body length " + found);
  }

  static std::string chunk_head(std::size_t size) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    return std::string(digits.data(), end) + "\r\n";
  }

  bool send_parts(std::array<iovec, 3> parts) {
    if (connection_.peer_spoke() && stops()) return false;
    while (true) {
      switch (connection_.write(parts)) {
        case Connection::Sent::all: return true;
        case Connection::Sent::broken: return false;
        case Connection::Sent::interrupted:
          if (stops()) return false;
      }
    }
  }

  bool stops() {
    return answer_.has_begun() || connection_.at_end() || !connection_.trouble().trouble.empty();
  }

  Connection& connection_;
  HeadCollector& answer_;
};

}  // namespace

RequestBody body_of(const HttpRequest& request) {
  RequestBody body{.text = request.text, .reader = request.body, .framing = {}};
  if (request.body != nullptr && !request.body_size) {
    body.framing.kind = Framing::Kind::chunked;
  } else if (request.body != nullptr || !request.text.empty()) {
    body.framing = {Framing::Kind::length,
                    request.body != nullptr ? *request.body_size : request.text.size()};
  }
  return body;
}

Answer exchange(Connection& connection, const std::string& head, const RequestBody& body) {
  HeadCollector collector(connection);
  Answer answer;
  answer.request_sent = Sender(connection, collector).send(head, body);
  answer.head = collector.collect();
  return answer;
}

}  // namespace lade::registry
