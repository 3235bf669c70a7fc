// What lies where in a directory of dir: (containers/image, directory transport 1.1 and 1.2). Internal to
// dir/.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::dir {

inline constexpr std::string_view version_file = "version";
inline constexpr std::string_view manifest_file = "manifest.json";

// "<hex>", or "<algorithm>-<hex>" for other algorithms than SHA-256.
std::string blob_file(const spec::Digest& digest);
// "manifest.json", or "<blob_file>.manifest.json" of an instance.
std::string manifest_file_of(const std::optional<spec::Digest>& instance);
// "signature-<number>", or "<blob_file>.signature-<number>" of an instance; numbers from 1.
std::string signature_file_of(const std::optional<spec::Digest>& instance, std::size_t number);

// "Directory Transport Version: 1.1\n"
struct Version {
  unsigned major = 1;
  unsigned minor = 1;  // 2: not all digests are SHA-256
  auto operator<=>(const Version&) const = default;
  std::string str() const;
};
inline constexpr Version newest_version{1, 2};
std::optional<Version> parse_version(std::string_view text);
// Kind::unsupported for a version from the future.
void check_version(const Version& version, const std::string& directory);

std::unique_ptr<ImageSource> open_source(const std::string& directory);
std::unique_ptr<ImageDestination> open_destination(const std::string& directory, const Options& options);

}  // namespace lade::transport::dir
