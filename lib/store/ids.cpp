#include "store/ids.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/digester.hpp"
#include "spec/time.hpp"

namespace lade::store {

namespace {

constexpr std::size_t id_length = 64;
constexpr std::size_t link_name_length = 26;

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

// containers/storage's makeBigDataBaseName looks for the first other character, and then whether anything
// follows it: a single one at the end goes unnoticed.
bool is_plain_key(std::string_view key) {
  const auto is_plain = [](char c) { return c == '.' || is_decimal(c) || (c >= 'a' && c <= 'z'); };
  const auto other = std::ranges::find_if_not(key, is_plain);
  return other == key.end() || other + 1 == key.end();
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string result(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const auto n = ::getrandom(result.data() + filled, count - filled, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error::from_errno(errno, "getrandom");
    filled += static_cast<std::size_t>(n);
  }
  return result;
}

std::string random_id() {
  constexpr std::size_t shown = 12;
  while (true) {
    std::string id = hex_of(random_bytes(id_length / 2));
    if (!std::all_of(id.begin(), id.begin() + shown, is_decimal)) return id;
  }
}

std::string random_link_name() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string result = random_bytes(link_name_length);
  for (char& c : result) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return result;
}

bool is_id(std::string_view text) {
  const auto is_hex = [](char c) { return is_decimal(c) || (c >= 'a' && c <= 'f'); };
  return text.size() == id_length && std::ranges::all_of(text, is_hex);
}

std::string layer_id(std::string_view parent, const spec::Digest& diff_id) {
  if (diff_id.algorithm() != spec::Digest::Algorithm::sha256)
    throw Error(Kind::invalid_input, "the uncompressed digest of a layer must be sha256: " + diff_id.str());
  if (parent.empty()) return diff_id.hex();
  std::string text(parent);
  text.append("+").append(diff_id.hex());
  return io::digest_of(text).hex();
}

std::string big_data_file_name(std::string_view key) {
  std::string name = is_plain_key(key) ? std::string(key) : "=" + config::base64_encode(key);
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    throw Error(Kind::invalid_input, "no file can be named for the item \"" + std::string(key) + "\"");
  return name;
}

std::string format_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count();
  return spec::format_time(seconds.time_since_epoch().count(), static_cast<std::uint32_t>(nanoseconds));
}

}  // namespace lade::store
