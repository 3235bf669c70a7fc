#include "config/tls_details.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "config/yaml_map.hpp"
#include "os/file.hpp"

namespace lade::config {

namespace {

constexpr std::uint64_t max_tls_details_size = 1024 * 1024;
constexpr std::array<std::string_view, 4> tls_versions{"1.0", "1.1", "1.2", "1.3"};

}  // namespace

TlsDetails parse_tls_details(const std::string& text, const std::string& file) {
  YamlMap document = YamlMap::parse(text, file);
  TlsDetails details{document.text("minVersion"), document.texts("cipherSuites"),
                     document.texts("namedGroups").value_or(std::vector<std::string>())};
  document.finish();
  if (!details.min_version.empty() &&
      std::ranges::find(tls_versions, details.min_version) == tls_versions.end())
    document.fail("minVersion", "unrecognized TLS minimum version \"" + details.min_version + "\"");
  return details;
}

TlsDetails read_tls_details(const std::filesystem::path& path) {
  return parse_tls_details(os::read_file(path, max_tls_details_size), path.string());
}

}  // namespace lade::config
