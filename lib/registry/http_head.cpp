#include "registry/http_head.hpp"

#include <httplib.h>

#include <algorithm>

#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_lines = 200;
// httplib refuses longer header lines, and matches the status line with a recursive std::regex.
constexpr std::size_t max_line = 8000;
constexpr std::size_t max_status_line = 1000;

// httplib percent-decodes the values of response headers, which breaks signed URLs. This byte stands for '%'
// while it looks: it occurs in no UTF-8 text, and heads that contain it are refused.
constexpr char percent_stand_in = '\xff';

// The two ends of httplib's connection: what it wrote, and what it shall read.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string input = {}) : input_(std::move(input)) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override {
    const std::size_t count = std::min(size, input_.size() - position_);
    std::copy_n(input_.data() + position_, count, data);
    position_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* data, size_t size) override {
    written_.append(data, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

  std::string& written() { return written_; }

 private:
  std::string input_;
  std::size_t position_ = 0;
  std::string written_;
};

// Opens httplib's protected framing: writes the request, then reads the response, of one stream.
class Framer final : public httplib::ClientImpl {
 public:
  Framer() : ClientImpl("localhost") { set_url_encode(false); }
  bool run(httplib::Stream& stream, httplib::Request& request, httplib::Response& response) {
    httplib::Error error = httplib::Error::Success;
    return process_request(stream, request, response, false, error);
  }
};

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

void check_header(const std::string& name, const std::string& value) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_char)) {
    throw Error(Kind::invalid_input, "net/http: invalid header field name " + quote(name));
  }
  if (!std::all_of(value.begin(), value.end(), is_value_char)) {
    throw Error(Kind::invalid_input, "net/http: invalid header field value for " + quote(name));
  }
}

[[noreturn]] void malformed(std::string_view what, std::string_view text) {
  throw Error(Kind::invalid_input, std::string(what) + " " + quote(text.substr(0, 80)));
}

// The head in httplib's dialect: CRLF, no '%'. Refuses what httplib would silently skip.
std::string normalise(std::string_view raw) {
  std::string text;
  std::size_t lines = 0;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('\n'), raw.size() - 1);
    std::string_view line = raw.substr(0, end);
    raw.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool status_line = lines++ == 0;
    if (lines > max_lines || line.size() > (status_line ? max_status_line : max_line)) {
      malformed("net/http: server response headers exceeded the limits at", line);
    }
    if (!std::all_of(line.begin(), line.end(), is_value_char) || line.find(percent_stand_in) != line.npos) {
      malformed("malformed HTTP response", line);
    }
    const std::size_t colon = line.find(':');
    const bool header =
        colon != line.npos && colon > 0 &&
        std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), is_token_char);
    if (!status_line && !line.empty() && !header) malformed("malformed MIME header line:", line);
    text.append(line).append("\r\n");
  }
  std::replace(text.begin(), text.end(), '%', percent_stand_in);
  return text;
}

std::uint64_t content_length(const std::vector<std::string_view>& values) {
  for (const std::string_view value : values) {
    if (value != values.front())
      throw Error(Kind::invalid_input, "http: message has different Content-Lengths");
  }
  const auto length = parse_number(values.front());
  if (!length) malformed("bad Content-Length", values.front());
  return *length;
}

}  // namespace

std::string format_request_head(const std::string& method, const std::string& target, const Headers& headers,
                                const Framing& body) {
  httplib::Request request;
  request.method = method;
  request.path = target;
  for (const auto& [name, value] : headers) {
    check_header(name, value);
    request.headers.emplace(name, value);
  }
  if (body.kind == Framing::Kind::chunked) request.headers.emplace("Transfer-Encoding", "chunked");
  if (body.kind != Framing::Kind::none) {
    // Makes httplib announce the body; it is asked for none of it, because it is sent below httplib.
    request.content_length_ = body.length;
    request.is_chunked_content_provider_ = body.kind == Framing::Kind::chunked;
    request.content_provider_ = [](size_t, size_t, httplib::DataSink&) { return false; };
  }
  MemoryStream stream;
  httplib::Response response;
  Framer().run(stream, request, response);  // fails once the head is written: there is nothing to read
  std::string head = std::move(stream.written());
  head.erase(head.find("\r\n\r\n") + 4);
  return head;
}

ResponseHead parse_response_head(std::string_view raw) {
  MemoryStream stream(normalise(raw));
  httplib::Request request;
  request.method = "HEAD";  // so that httplib does not wait for a body
  httplib::Response response;
  if (!Framer().run(stream, request, response))
    malformed("malformed HTTP response", raw.substr(0, raw.find('\n')));
  ResponseHead head{.status = response.status,
                    .reason = response.reason,
                    .http_1_0 = response.version == "HTTP/1.0",
                    .headers = {}};
  for (auto& [name, value] : response.headers) {
    std::string exact = value;
    std::replace(exact.begin(), exact.end(), percent_stand_in, '%');
    head.headers.emplace_back(name, trim(exact));
  }
  return head;
}

std::string_view ResponseHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

std::vector<std::string_view> ResponseHead::header_values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) values.push_back(value);
  }
  return values;
}

bool ResponseHead::has_token(std::string_view name, std::string_view token) const {
  for (std::string_view rest : header_values(name)) {
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (equals_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

bool ResponseHead::keeps_alive() const {
  if (http_1_0) return has_token("Connection", "keep-alive");
  return !has_token("Connection", "close");
}

Framing body_framing(const ResponseHead& head, std::string_view method) {
  if (method == "HEAD" || head.status == 204 || head.status == 304) return {};
  if (method == "CONNECT" && head.status / 100 == 2) return {};
  const std::string_view coding = head.header("Transfer-Encoding");
  if (equals_ignoring_case(coding, "chunked")) return {Framing::Kind::chunked};
  if (!coding.empty() && !equals_ignoring_case(coding, "identity")) {
    throw Error(Kind::unsupported, "unsupported transfer encoding: " + quote(coding));
  }
  const auto lengths = head.header_values("Content-Length");
  if (lengths.empty()) return {Framing::Kind::until_close};
  return {Framing::Kind::length, content_length(lengths)};
}

std::string status_text(const ResponseHead& head) {
  return std::to_string(head.status) + (head.reason.empty() ? "" : " " + head.reason);
}

}  // namespace lade::registry
