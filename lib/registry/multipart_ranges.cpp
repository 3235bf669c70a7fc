#include "registry/multipart_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_boundary = 70;  // RFC 2046 section 5.1.1
constexpr std::size_t max_part_line = 1024;
constexpr int max_part_lines = 16;

Error not_as_asked(std::string_view why) {
  return Error(Kind::unsupported,
               fmt::format("an answer in several parts is not as it was asked for: {}", why));
}

}  // namespace

std::string range_header(const std::vector<io::ByteRange>& parts) {
  std::string text = "bytes=";
  for (const auto& part : parts)
    text += fmt::format("{}{}-{}", text.back() == '=' ? "" : ",", part.offset, part.end() - 1);
  return text;
}

bool is_content_range(std::string_view text, const io::ByteRange& part, std::uint64_t total) {
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == text.npos || slash == text.npos || dash > slash) return false;
  return parse_number(trim(text.substr(6, dash - 6))) == part.offset &&
         parse_number(trim(text.substr(dash + 1, slash - dash - 1))) == part.end() - 1 &&
         parse_number(trim(text.substr(slash + 1))) == total;
}

std::optional<std::string> byteranges_boundary(std::string_view content_type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  if (!equals_ignoring_case(trim(content_type.substr(0, end)), "multipart/byteranges")) return std::nullopt;
  std::string_view rest = content_type.substr(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // ';'
    const auto next = std::min(rest.find(';'), rest.size());
    const auto parameter = trim(rest.substr(0, next));
    rest.remove_prefix(next);
    const auto equals = parameter.find('=');
    if (equals == parameter.npos || !equals_ignoring_case(trim(parameter.substr(0, equals)), "boundary"))
      continue;
    auto value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (value.empty() || value.size() > max_boundary) return std::nullopt;
    return std::string(value);
  }
  return std::nullopt;
}

MultipartRanges::MultipartRanges(io::Reader& body, std::string_view boundary, std::uint64_t total)
    : body_(body), delimiter_(fmt::format("--{}", boundary)), total_(total), buffer_(4096) {}

bool MultipartRanges::fill() {
  if (begin_ < end_) return true;
  begin_ = 0;
  end_ = body_.read(buffer_);
  return end_ > 0;
}

// Without its CRLF.
std::string MultipartRanges::read_line() {
  std::string line;
  for (;;) {
    if (!fill()) throw Error(Kind::unavailable, "unexpected EOF");
    const char c = static_cast<char>(buffer_[begin_++]);
    if (c == '\n') break;
    line += c;
    if (line.size() > max_part_line) throw not_as_asked("a line is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

void MultipartRanges::begin(const io::ByteRange& part) {
  int lines = 0;
  const auto next_line = [&] {
    if (++lines > max_part_lines) throw not_as_asked("a part has too many headers");
    return read_line();
  };
  for (auto line = next_line(); trim(line) != delimiter_; line = next_line())
    if (!line.empty()) throw not_as_asked("there is no boundary where a part ends");
  bool is_named = false;
  for (auto line = next_line(); !line.empty(); line = next_line()) {
    const auto colon = line.find(':');
    if (colon == line.npos || !equals_ignoring_case(std::string_view(line).substr(0, colon), "Content-Range"))
      continue;
    if (!is_content_range(trim(std::string_view(line).substr(colon + 1)), part, total_))
      throw not_as_asked("it has another part");
    is_named = true;
  }
  if (!is_named) throw not_as_asked("a part does not say which it is");
}

std::size_t MultipartRanges::read(io::Buffer buffer) {
  if (begin_ == end_ && buffer.size() >= buffer_.size()) return body_.read(buffer);
  if (!fill()) return 0;
  const auto count = std::min(buffer.size(), end_ - begin_);
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, buffer.begin());
  begin_ += count;
  return count;
}

void MultipartRanges::finish() {
  constexpr int enough = 2;
  begin_ = end_ = 0;
  try {
    for (int i = 0; i < enough && fill(); ++i) begin_ = end_;
  } catch (const Error&) {  // all that was asked for is here
  }
}

}  // namespace lade::registry
