// Parameter files of --sign-by-sigstore: containers-sigstore-signing-params.yaml(5).
#pragma once

#include <string>

namespace lade::config {

struct SigstoreParams {
  std::string private_key_file, private_key_passphrase_file;  // "" if absent
  std::string rekor_url;
  bool uses_fulcio = false;
};

// Strict, as YamlMap is.
SigstoreParams parse_sigstore_params(const std::string& text, const std::string& file);
SigstoreParams read_sigstore_params(const std::string& file);

}  // namespace lade::config
