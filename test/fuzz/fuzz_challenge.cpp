// WWW-Authenticate: any lines give challenges within the limits, made of what was in them.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "registry/challenge.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string write(const lade::registry::Challenge& challenge) {
  std::string text = challenge.scheme;
  for (const auto& [name, value] : challenge.parameters) {
    text += (text.size() == challenge.scheme.size() ? " " : ", ") + name + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines;
  for (;;) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  const auto challenges = lade::registry::parse_challenges(lines);
  require(challenges.size() <= 16);
  for (const auto& challenge : challenges) {
    require(!challenge.scheme.empty() && challenge.parameters.size() <= 32);
    const std::string written = write(challenge);
    if (written.size() > 16 * 1024) continue;
    const std::string_view line = written;
    require(lade::registry::parse_challenges({&line, 1}) == std::vector{challenge});
  }
  return 0;
}
