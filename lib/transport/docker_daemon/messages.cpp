#include "transport/docker_daemon/messages.hpp"

#include <algorithm>
#include <array>

namespace lade::transport::docker_daemon {

namespace {

constexpr std::size_t max_message = 1 << 20;
constexpr std::uint64_t max_messages = 64 << 20;
constexpr std::string_view progress_name = "parsing docker load progress";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

bool MessageStream::fill() {
  std::array<std::byte, 16 * 1024> buffer;
  const std::size_t count = body_.read(buffer);
  total_ += count;
  text_ += io::as_text(io::Bytes(buffer).first(count));
  if (total_ > max_messages || text_.size() > max_message + buffer.size()) {
    throw Error(Kind::invalid_input, std::string(progress_name) + ": the daemon says too much");
  }
  return count > 0;
}

// Where the object at the front ends; what is not one is left to the parser.
std::optional<std::size_t> MessageStream::end_of_first() const {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth <= 1) return i + 1;
      --depth;
    } else if (c == '\n' && depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<spec::Json> MessageStream::next() {
  while (true) {
    const auto begin = std::find_if_not(text_.begin(), text_.end(), is_blank);
    text_.erase(text_.begin(), begin);
    if (!text_.empty()) {
      if (const auto end = end_of_first()) {
        const std::string document = text_.substr(0, *end);
        text_.erase(0, *end);
        return spec::parse_json(document, progress_name, max_message);
      }
    }
    if (fill()) continue;
    if (text_.empty()) return std::nullopt;
    return spec::parse_json(std::exchange(text_, {}), progress_name, max_message);
  }
}

std::optional<std::string> error_in(const spec::Json& message) {
  if (!message.is_object()) return std::nullopt;
  if (const auto* detail = spec::find_member(message, "errorDetail");
      detail != nullptr && detail->is_object()) {
    return spec::string_member(*detail, "message", progress_name);
  }
  if (const auto* error = spec::find_member(message, "error"); error != nullptr && error->is_string()) {
    return error->get<std::string>();
  }
  return std::nullopt;
}

std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string reason_in(const std::string& body) {
  const auto json = spec::try_parse_json(body);
  if (json && json->is_object()) {
    const auto* message = spec::find_member(*json, "message");
    if (message != nullptr && message->is_string()) return in_one_line(message->get<std::string>());
  }
  return in_one_line(body);
}

}  // namespace lade::transport::docker_daemon
