// Annotations of encrypted layers: any text gives a value or an Error; what was wrapped for a key is opened
// by it, whatever stands before it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "crypt/enveloped.hpp"
#include "crypt/jwe.hpp"
#include "crypt/jwk.hpp"
#include "crypt/layer_options.hpp"

namespace {

using namespace lade;

const crypt::DecryptionKeys& fuzz_keys() {
  static const crypt::DecryptionKeys keys{{crypt::generate_ec_key("P-256")}, {}};
  return keys;
}

template <class Fn>
void attempt(Fn&& fn) {
  try {
    fn();
  } catch (const Error&) {
    return;
  }
}

void open_annotations(std::string_view text) {
  const std::string encoded = config::base64_encode(text);
  for (const char* name : {"jwe", "pkcs7"}) {
    spec::Annotations annotations{
        {std::string("org.opencontainers.image.enc.keys.") + name, std::string(text)},
        {"org.opencontainers.image.enc.pubopts", encoded}};
    attempt([&] { crypt::open_layer(annotations, fuzz_keys()); });
    annotations.begin()->second = encoded;
    attempt([&] { crypt::open_layer(annotations, fuzz_keys()); });
  }
}

void open_wrapped(std::string_view text) {
  static const auto wrapped = crypt::encryption_annotations(
      {crypt::LayerKey::generate(), std::nullopt}, std::string(crypt::layer_hmac_size, 'h'),
      {{{fuzz_keys().keys.front(), "ECDH-ES+A256KW", ""}}, {}});
  auto annotations = wrapped;
  auto& keys = annotations["org.opencontainers.image.enc.keys.jwe"];
  keys = config::base64_encode(text) + "," + keys;
  crypt::open_layer(annotations, fuzz_keys());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] { crypt::decrypt_jwe(text, fuzz_keys().keys); });
  attempt([&] { crypt::decrypt_enveloped(text, fuzz_keys()); });
  attempt([&] { crypt::LayerSecret::parse(text); });
  attempt([&] { crypt::PublicOptions::parse(text); });
  attempt([&] { crypt::parse_jwe_recipient(text); });
  attempt([&] { crypt::parse_private_key(text, ""); });
  open_annotations(text);
  if (size % 8 == 0) open_wrapped(text);  // costs more than all the others
  return 0;
}
