// Platforms of image indexes (OCI image-spec image-index.md; containers/image's choice of variants).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::spec {

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
  std::vector<std::string> os_features;

  // "os/arch" or "os/arch/variant"; Kind::invalid_input otherwise.
  static Platform parse(std::string_view text);
  std::string str() const;  // "linux/arm64/v8"
  bool operator==(const Platform&) const = default;
};

// What the user asked for; empty fields: the running machine's.
struct PlatformChoice {
  std::string os;
  std::string architecture;
  std::string variant;
};

// The platforms to look for, best first: with a wanted variant (given, or detected on arm and arm64 when no
// architecture was asked for) that one, then the weaker ones of it, then none; without: none first, then
// all known variants. OS, architecture and variant must each be equal; os_version and os_features are
// ignored.
std::vector<Platform> wanted_platforms(const PlatformChoice& choice);
std::vector<Platform> wanted_platforms(const PlatformChoice& choice, const Platform& host);

// GOOS and GOARCH names of the machine this runs on.
std::string host_os();
std::string host_architecture();
// With the variant on arm and arm64.
Platform host_platform();
// The variant of a machine as uname(2) names it ("armv7l", "aarch64"); "" where there is none.
std::string detect_variant(std::string_view architecture, std::string_view machine);

}  // namespace lade::spec
