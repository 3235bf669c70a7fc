// Files of --tls-details (containers-tls-details.yaml(5)): which versions, ciphers and groups TLS may use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lade::config {

struct TlsDetails {
  std::string min_version;  // "1.0", "1.1", "1.2", "1.3"; "": the program's own choice
  // IANA's names; nullopt: the program's own choice. No cipher suites at all: nothing can be reached.
  std::optional<std::vector<std::string>> cipher_suites;
  std::vector<std::string> named_groups;  // empty: the program's own choice
};

// Kind::invalid_input for unknown keys, values of wrong types, and an unknown version.
TlsDetails parse_tls_details(const std::string& text, const std::string& file);
TlsDetails read_tls_details(const std::filesystem::path& path);

}  // namespace lade::config
