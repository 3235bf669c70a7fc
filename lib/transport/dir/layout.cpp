#include "transport/dir/layout.hpp"

#include <charconv>

#include "spec/json.hpp"

namespace lade::transport::dir {

namespace {

constexpr std::string_view version_prefix = "Directory Transport Version: ";

// Without leading zeros or signs; nullopt otherwise.
std::optional<unsigned> parse_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string blob_file(const spec::Digest& digest) {
  if (digest.algorithm() == spec::Digest::Algorithm::sha256) return digest.hex();
  return std::string(digest.algorithm_name()) + "-" + digest.hex();
}

std::string manifest_file_of(const std::optional<spec::Digest>& instance) {
  return instance ? blob_file(*instance) + ".manifest.json" : std::string(manifest_file);
}

std::string signature_file_of(const std::optional<spec::Digest>& instance, std::size_t number) {
  return (instance ? blob_file(*instance) + "." : "") + "signature-" + std::to_string(number);
}

std::string Version::str() const {
  return std::string(version_prefix) + std::to_string(major) + "." + std::to_string(minor) + "\n";
}

std::optional<Version> parse_version(std::string_view text) {
  if (!text.starts_with(version_prefix) || !text.ends_with('\n')) return std::nullopt;
  const auto numbers = text.substr(version_prefix.size(), text.size() - version_prefix.size() - 1);
  const auto dot = numbers.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = parse_number(numbers.substr(0, dot));
  const auto minor = parse_number(numbers.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  const Version version{*major, *minor};
  return version.str() == text ? std::optional(version) : std::nullopt;
}

void check_version(const Version& version, const std::string& directory) {
  if (version <= newest_version) return;
  throw Error(Kind::unsupported, "unsupported directory transport version " + spec::dump_json(version.str()) +
                                     " at " + directory);
}

}  // namespace lade::transport::dir
