#include "spec/platform.hpp"

#include <sys/utsname.h>

#include <algorithm>

#include "base/error.hpp"

namespace lade::spec {

namespace {

bool is_platform_word(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  });
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0, end = 0;
  while ((end = text.find(separator, begin)) != std::string_view::npos) {
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

// Most capable first; each also runs what comes after it.
std::vector<std::string> known_variants(std::string_view architecture) {
  if (architecture == "arm") return {"v8", "v7", "v6", "v5"};
  if (architecture == "arm64") return {"v8"};
  return {};
}

std::vector<std::string> acceptable_variants(std::string_view architecture, const std::string& wanted) {
  std::vector<std::string> known = known_variants(architecture);
  if (wanted.empty()) {
    known.insert(known.begin(), "");
    return known;
  }
  const auto found = std::find(known.begin(), known.end(), wanted);
  std::vector<std::string> variants{wanted};
  if (found != known.end()) variants.assign(found, known.end());
  variants.emplace_back("");
  return variants;
}

std::string uname_machine() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : "";
}

}  // namespace

Platform Platform::parse(std::string_view text) {
  std::vector<std::string> parts = split(text, '/');
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_platform_word))
    throw Error(Kind::invalid_input,
                "invalid platform \"" + std::string(text) + "\", expected OS/ARCH or OS/ARCH/VARIANT");
  Platform platform;
  platform.os = parts[0];
  platform.architecture = parts[1];
  if (parts.size() == 3) platform.variant = parts[2];
  return platform;
}

std::string Platform::str() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

// Of the program, not of the kernel: a 32-bit program on a 64-bit kernel wants 32-bit images.
std::string host_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__i386__)
  return "386";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__arm__)
  return "arm";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return "ppc64le";
#elif defined(__powerpc64__)
  return "ppc64";
#elif defined(__s390x__)
  return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#elif defined(__loongarch64)
  return "loong64";
#elif defined(__mips64) && defined(__MIPSEL__)
  return "mips64le";
#else
  return uname_machine();
#endif
}

std::string host_os() {
#if defined(__FreeBSD__)
  return "freebsd";
#elif defined(__APPLE__)
  return "darwin";
#else
  return "linux";
#endif
}

std::string detect_variant(std::string_view architecture, std::string_view machine) {
  if (architecture == "arm64") return "v8";
  if (architecture != "arm") return "";
  if (machine == "aarch64" || machine == "arm64") return "v8";
  if (!machine.starts_with("armv") || machine.size() < 5) return "";
  const char version = machine[4];
  return version >= '3' && version <= '8' ? std::string("v") + version : "";
}

std::vector<Platform> wanted_platforms(const PlatformChoice& choice, const Platform& host) {
  Platform wanted;
  wanted.os = choice.os.empty() ? host.os : choice.os;
  wanted.architecture = choice.architecture.empty() ? host.architecture : choice.architecture;
  if (choice.architecture.empty()) wanted.variant = host.variant;
  if (!choice.variant.empty()) wanted.variant = choice.variant;

  std::vector<Platform> platforms;
  for (const std::string& variant : acceptable_variants(wanted.architecture, wanted.variant)) {
    platforms.push_back(wanted);
    platforms.back().variant = variant;
  }
  return platforms;
}

Platform host_platform() {
  Platform host;
  host.os = host_os();
  host.architecture = host_architecture();
  host.variant = detect_variant(host.architecture, uname_machine());
  return host;
}

std::vector<Platform> wanted_platforms(const PlatformChoice& choice) {
  return wanted_platforms(choice, host_platform());
}

}  // namespace lade::spec
