#include "spec/digest.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace lade::spec {

namespace {

struct AlgorithmFacts {
  Digest::Algorithm algorithm;
  std::string_view name;
  std::size_t hex_length;
};

constexpr std::array<AlgorithmFacts, 2> known_algorithms{{
    {Digest::Algorithm::sha256, "sha256", 64},
    {Digest::Algorithm::sha512, "sha512", 128},
}};

const AlgorithmFacts& facts_of(Digest::Algorithm algorithm) {
  return known_algorithms[algorithm == Digest::Algorithm::sha256 ? 0 : 1];
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// go-digest's grammar: algorithm = component *( [+._-] component ); encoded = 1*[A-Za-z0-9=_-].
bool has_digest_form(std::string_view algorithm, std::string_view encoded) {
  bool after_separator = true;
  for (const char c : algorithm) {
    const bool is_separator = !is_letter_or_digit(c);
    if (is_separator && (after_separator || std::string_view("+._-").find(c) == std::string_view::npos))
      return false;
    after_separator = is_separator;
  }
  return !after_separator && !encoded.empty() && std::all_of(encoded.begin(), encoded.end(), [](char c) {
    return is_letter_or_digit(c) || c == '=' || c == '_' || c == '-';
  });
}

// Why `text` is no digest; empty if it is one, with `algorithm` set.
std::string_view fault_of(std::string_view text, Digest::Algorithm& algorithm) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return "invalid checksum digest format";
  const std::string_view name = text.substr(0, colon), hex = text.substr(colon + 1);
  if (!has_digest_form(name, hex)) return "invalid checksum digest format";
  const auto found = std::find_if(known_algorithms.begin(), known_algorithms.end(),
                                  [&](const AlgorithmFacts& facts) { return facts.name == name; });
  if (found == known_algorithms.end()) return "unsupported digest algorithm";
  if (hex.size() != found->hex_length) return "invalid checksum digest length";
  if (!std::all_of(hex.begin(), hex.end(), is_lower_hex)) return "invalid checksum digest format";
  algorithm = found->algorithm;
  return "";
}

}  // namespace

Digest Digest::parse(std::string_view text) {
  Algorithm algorithm{};
  const std::string_view fault = fault_of(text, algorithm);
  if (!fault.empty()) throw Error(Kind::invalid_input, std::string(fault));
  return {algorithm, std::string(text.substr(text.find(':') + 1))};
}

std::optional<Digest> Digest::try_parse(std::string_view text) {
  Algorithm algorithm{};
  if (!fault_of(text, algorithm).empty()) return std::nullopt;
  return Digest(algorithm, std::string(text.substr(text.find(':') + 1)));
}

Digest Digest::from_hex(Algorithm algorithm, std::string_view hex) {
  return parse(std::string(facts_of(algorithm).name).append(":").append(hex));
}

std::string_view Digest::algorithm_name() const {
  return facts_of(algorithm_).name;
}

std::string Digest::str() const {
  return std::string(algorithm_name()).append(":").append(hex_);
}

}  // namespace lade::spec
