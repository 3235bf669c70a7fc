#include "common/encryption_options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "crypt/keys.hpp"

namespace lade::common {

namespace {

constexpr const char* encryption_group = "Encryption";

[[noreturn]] void refuse_encryption(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::int64_t parse_layer_index(const std::string& text) {
  std::int64_t index = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || code != std::errc() || end != text.data() + text.size())
    refuse_encryption(
        fmt::format("invalid argument \"{}\" for \"--encrypt-layer\" flag: not a number", text));
  return index;
}

std::vector<std::string> values(const Flags& flags, std::string_view name) {
  return flags.has(name) ? flags.list(name) : std::vector<std::string>();
}

}  // namespace

std::vector<Option> encryption_options() {
  return {
      {.name = "encrypt-layer",
       .kind = ValueKind::list,
       .value_name = "INDEX",
       .help = "Layers to encrypt, counted from 0, or from the end with -1 for the last one (default: all)",
       .group = encryption_group},
      {.name = "encryption-key",
       .kind = ValueKind::list,
       .value_name = "PROTOCOL:PATH",
       .help = "Encrypt the layers for the owner of this key: jwe:PATH of a public key, pkcs7:PATH of a "
               "certificate",
       .group = encryption_group},
  };
}

std::vector<Option> decryption_options() {
  return {{.name = "decryption-key",
           .kind = ValueKind::list,
           .value_name = "PATH[:PASSWORD]",
           .help =
               "Decrypt the layers by this private key; the certificate that goes with a key of pkcs7 can "
               "be given too",
           .group = encryption_group}};
}

void apply_encryption_options(const Flags& flags, copy::CopyOptions& options) {
  const auto recipients = values(flags, "encryption-key"), keys = values(flags, "decryption-key"),
             layers = values(flags, "encrypt-layer");
  if (!recipients.empty() && !keys.empty())
    refuse_encryption("--encryption-key and --decryption-key cannot be specified together");
  if (!layers.empty() && recipients.empty())
    refuse_encryption("--encrypt-layer can only be used with --encryption-key");
  for (const std::string& layer : layers) options.encrypted_layers.push_back(parse_layer_index(layer));
  if (!recipients.empty()) {
    options.encryption = in_context("Invalid encryption keys", [&] {
      return std::make_shared<const crypt::Recipients>(crypt::read_recipients(recipients));
    });
  }
  if (!keys.empty()) {
    options.decryption = in_context("Invalid decryption keys", [&] {
      return std::make_shared<const crypt::DecryptionKeys>(crypt::read_decryption_keys(keys));
    });
  }
}

}  // namespace lade::common
