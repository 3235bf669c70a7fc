// Signatures before and after their verification: any bytes give a value or an Error, and what is read is
// written back the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "transport/signature_format.hpp"
#include "trust/certificates.hpp"
#include "trust/cosign_key.hpp"
#include "trust/payload.hpp"
#include "trust/rekor.hpp"

namespace {

using namespace lade;

template <class Fn>
void survive(Fn&& fn) {
  try {
    fn();
  } catch (const Error&) {
    return;
  }
}

void parse_document(const std::string& text) {
  transport::check_signature_format(text);
  transport::simple_signing_message(text);
  if (!transport::is_sigstore_signature(text)) return;
  const auto signature = transport::parse_sigstore_signature(text);
  if (transport::parse_sigstore_signature(transport::serialize(signature)) != signature) std::abort();
}

void parse_signed(std::string_view text, trust::PayloadType type) {
  const auto payload = trust::parse_payload(text, type);
  const auto again = trust::parse_payload(trust::serialize(payload, type), type);
  if (again.manifest != payload.manifest || again.reference != payload.reference ||
      again.creator != payload.creator || again.timestamp != payload.timestamp) {
    std::abort();
  }
}

const std::vector<trust::PublicKey>& keys() {
  static const std::vector<trust::PublicKey> keys{trust::PrivateKey::generate().public_key()};
  return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string sigstore = std::string("\0sigstore-json\n", 15) + text;
  survive([&] { parse_document(text); });
  survive([&] { parse_document(sigstore); });
  for (const auto type : {trust::PayloadType::simple_signing, trust::PayloadType::sigstore})
    survive([&] { parse_signed(text, type); });
  // Nothing here is signed by that key.
  survive([&] {
    trust::verify_rekor_set(keys(), text, {text, text, text});
    std::abort();
  });
  survive([&] {
    trust::verify_certificate(
        {.roots = text, .intermediates = "", .oidc_issuer = "", .email = "a@b", .hostname = ""}, text, text,
        std::nullopt);
  });
  if (text.find("\"N\"") == std::string::npos) survive([&] { trust::decrypt_cosign_key(text, ""); });
  return 0;
}
