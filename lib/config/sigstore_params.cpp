#include "config/sigstore_params.hpp"

#include "config/config_files.hpp"
#include "config/yaml_map.hpp"
#include "os/file.hpp"

namespace lade::config {

SigstoreParams parse_sigstore_params(const std::string& text, const std::string& file) {
  YamlMap document = YamlMap::parse(text, file);
  SigstoreParams result;
  result.private_key_file = document.text("privateKeyFile");
  result.private_key_passphrase_file = document.text("privateKeyPassphraseFile");
  result.rekor_url = document.text("rekorURL");
  if (auto fulcio = document.map("fulcio")) {
    result.uses_fulcio = true;
    for (const auto* key :
         {"fulcioURL", "oidcMode", "oidcIDToken", "oidcIssuerURL", "oidcClientID", "oidcClientSecret"})
      fulcio->text(key);
    fulcio->finish();
  }
  document.finish();
  return result;
}

SigstoreParams read_sigstore_params(const std::string& file) {
  return parse_sigstore_params(os::read_file(file, max_config_file_size), file);
}

}  // namespace lade::config
