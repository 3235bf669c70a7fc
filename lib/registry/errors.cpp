#include "registry/errors.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "io/readers.hpp"
#include "registry/challenge.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t shown_of_body = 50;
constexpr std::size_t max_message = 4096;
constexpr std::size_t max_error_entries = 32;

struct KnownCode {
  std::string_view code, message;
};

// The messages that distribution gives its codes (registry/api/errcode, registry/api/v2).
constexpr std::array known_codes = {
    KnownCode{"UNKNOWN", "unknown error"},
    KnownCode{"UNSUPPORTED", "The operation is unsupported."},
    KnownCode{"UNAUTHORIZED", "authentication required"},
    KnownCode{"DENIED", "requested access to the resource is denied"},
    KnownCode{"UNAVAILABLE", "service unavailable"},
    KnownCode{"TOOMANYREQUESTS", "too many requests"},
    KnownCode{"DIGEST_INVALID", "provided digest did not match uploaded content"},
    KnownCode{"SIZE_INVALID", "provided length did not match content length"},
    KnownCode{"RANGE_INVALID", "invalid content range"},
    KnownCode{"NAME_INVALID", "invalid repository name"},
    KnownCode{"TAG_INVALID", "manifest tag did not match URI"},
    KnownCode{"NAME_UNKNOWN", "repository name not known to registry"},
    KnownCode{"MANIFEST_UNKNOWN", "manifest unknown"},
    KnownCode{"MANIFEST_INVALID", "manifest invalid"},
    KnownCode{"MANIFEST_UNVERIFIED", "manifest failed signature verification"},
    KnownCode{"MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"},
    KnownCode{"BLOB_UNKNOWN", "blob unknown to registry"},
    KnownCode{"BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"},
    KnownCode{"BLOB_UPLOAD_INVALID", "blob upload invalid"},
    KnownCode{"PAGINATION_NUMBER_INVALID", "invalid number of results requested"},
};

std::string_view usual_message(std::string_view code) {
  for (const KnownCode& known : known_codes) {
    if (known.code == code) return known.message;
  }
  return {};
}

// One line for a person: no control characters of a stranger reach the terminal.
std::string printable(std::string_view text) {
  std::string result(text.substr(0, max_message));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return result;
}

std::string describe(const RegistryError::Entry& entry) {
  const std::string_view usual = usual_message(entry.code);
  if (entry.message.empty()) return printable(usual.empty() ? std::string_view(entry.code) : usual);
  if (entry.message == usual || entry.code.empty()) return printable(entry.message);
  std::string code = lower_case(entry.code);
  for (char& c : code) {
    if (c == '_') c = ' ';
  }
  return printable(code + ": " + entry.message);
}

std::string text_of(const spec::Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || member->is_null()) return {};
  return member->is_string() ? member->get<std::string>() : spec::dump_json(*member);
}

std::vector<RegistryError::Entry> parse_entries(const std::string& body, int status) {
  spec::Json document;
  try {
    document = spec::parse_json(body, "error response", max_error_body);
  } catch (const Error&) {  // not JSON at all: shown as it is
    return {};
  }
  if (!document.is_object()) return {};
  std::vector<RegistryError::Entry> entries;
  const auto errors = document.find("errors");
  if (errors != document.end() && errors->is_array()) {
    for (const auto& item : *errors) {
      if (entries.size() == max_error_entries) break;
      if (item.is_object()) {
        entries.push_back({text_of(item, "code"), text_of(item, "message"), text_of(item, "detail")});
      }
    }
  }
  // What some registries and token servers send instead.
  const auto details = document.find("details");
  if (entries.empty() && details != document.end() && details->is_string()) {
    entries.push_back({status == 401 ? "UNAUTHORIZED" : "UNKNOWN", details->get<std::string>(), ""});
  }
  return entries;
}

// RFC 6750 section 3.1: what a bearer challenge says about the token that was sent.
std::optional<RegistryError::Entry> bearer_entry(const HttpResponse& response) {
  for (const Challenge& challenge : parse_challenges(response.header_values("WWW-Authenticate"))) {
    if (challenge.scheme != "bearer") continue;
    const std::string_view error = challenge.parameter("error");
    std::string_view code;
    if (error == "invalid_token") code = "UNAUTHORIZED";
    if (error == "insufficient_scope") code = "DENIED";
    if (code.empty()) continue;
    const std::string_view description = challenge.parameter("error_description");
    return RegistryError::Entry{std::string(code),
                                std::string(description.empty() ? usual_message(code) : description), ""};
  }
  return std::nullopt;
}

Kind kind_of(int status, const std::vector<RegistryError::Entry>& entries) {
  switch (status) {
    case 401:
    case 403: return Kind::denied;
    case 404:
      return !entries.empty() && entries.front().code == "MANIFEST_UNKNOWN" ? Kind::image_not_found
                                                                            : Kind::not_found;
    case 405:
    case 415:
    case 501: return Kind::unsupported;
    case 408:
    case 429: return Kind::unavailable;
    default: return status >= 500 ? Kind::unavailable : Kind::invalid_input;
  }
}

std::string read_error_body(HttpResponse& response) {
  std::string body(max_error_body, '\0');
  const std::size_t size = io::read_full(response.body(), std::as_writable_bytes(std::span(body)));
  body.resize(size);
  return body;
}

RegistryError unexpected_status(int status, std::string_view what) {
  const std::string_view separator = what.empty() ? "" : ": ";
  return {kind_of(status, {}),
          fmt::format("{}{}received unexpected HTTP status: {}", what, separator, status_line(status)),
          status,
          {}};
}

}  // namespace

RegistryError::RegistryError(Kind kind, std::string message, int status, std::vector<Entry> entries)
    : Error(kind, std::move(message)), status_(status), entries_(std::move(entries)) {}

bool RegistryError::has_code(std::string_view code) const {
  for (const Entry& entry : entries_) {
    if (entry.code == code) return true;
  }
  return false;
}

std::string status_line(int status) {
  static constexpr std::pair<int, std::string_view> names[] = {{200, "OK"},
                                                               {201, "Created"},
                                                               {202, "Accepted"},
                                                               {204, "No Content"},
                                                               {206, "Partial Content"},
                                                               {301, "Moved Permanently"},
                                                               {302, "Found"},
                                                               {303, "See Other"},
                                                               {304, "Not Modified"},
                                                               {307, "Temporary Redirect"},
                                                               {308, "Permanent Redirect"},
                                                               {400, "Bad Request"},
                                                               {401, "Unauthorized"},
                                                               {402, "Payment Required"},
                                                               {403, "Forbidden"},
                                                               {404, "Not Found"},
                                                               {405, "Method Not Allowed"},
                                                               {406, "Not Acceptable"},
                                                               {408, "Request Timeout"},
                                                               {409, "Conflict"},
                                                               {410, "Gone"},
                                                               {411, "Length Required"},
                                                               {412, "Precondition Failed"},
                                                               {413, "Request Entity Too Large"},
                                                               {414, "Request URI Too Long"},
                                                               {415, "Unsupported Media Type"},
                                                               {416, "Requested Range Not Satisfiable"},
                                                               {418, "I'm a teapot"},
                                                               {422, "Unprocessable Entity"},
                                                               {429, "Too Many Requests"},
                                                               {451, "Unavailable For Legal Reasons"},
                                                               {500, "Internal Server Error"},
                                                               {501, "Not Implemented"},
                                                               {502, "Bad Gateway"},
                                                               {503, "Service Unavailable"},
                                                               {504, "Gateway Timeout"}};
  for (const auto& [number, name] : names) {
    if (number == status) return fmt::format("{} {}", status, name);
  }
  return std::to_string(status);
}

RegistryError response_error(HttpResponse& response) {
  const int status = response.status();
  if (status < 400 || status >= 500) return unexpected_status(status, "");
  std::vector<RegistryError::Entry> entries;
  if (auto entry = bearer_entry(response)) entries.push_back(std::move(*entry));
  const std::string body = read_error_body(response);
  for (auto& entry : parse_entries(body, status)) entries.push_back(std::move(entry));
  const Kind kind = kind_of(status, entries);
  if (status == 429) return {kind, "too many requests to registry", status, std::move(entries)};
  if (entries.empty() && status == 401) entries.push_back({"UNAUTHORIZED", "", ""});
  if (!entries.empty()) {
    std::string message = describe(entries.front());
    return {kind, std::move(message), status, std::move(entries)};
  }
  if (body.empty()) return {kind, fmt::format("StatusCode: {}", status_line(status)), status, {}};
  const std::string shown = quote(body.substr(0, shown_of_body) + (body.size() > shown_of_body ? "..." : ""));
  return {kind, fmt::format("StatusCode: {}, {}", status, shown), status, {}};
}

RegistryError status_error(HttpResponse& response, std::string_view what) {
  const int status = response.status();
  if (status == 401) {
    const RegistryError error = response_error(response);
    return {Kind::denied, "unable to retrieve auth token: invalid username/password: " + error.message(),
            status, error.entries()};
  }
  if (status == 429) return {Kind::unavailable, "too many requests to registry", status, {}};
  return unexpected_status(status, what);
}

void discard(HttpResponse& response) {
  if (response.content_length().value_or(0) <= max_error_body) read_error_body(response);
}

}  // namespace lade::registry
