#include "crypt/jwe.hpp"

#include <array>

#include "base/error.hpp"
#include "crypt/jwk.hpp"
#include "crypt/key_agreement.hpp"
#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"
#include "crypt/rsa.hpp"
#include "spec/base64.hpp"

namespace lade::crypt {

namespace {

using spec::Json;

constexpr std::size_t max_jwe_size = 1024 * 1024;
constexpr std::size_t max_jwe_recipients = 64;
constexpr std::size_t content_key_size = 32;  // A256GCM

struct JweAlgorithm {
  std::string_view name;
  RsaPadding padding;     // of RSA
  std::size_t wrap_size;  // of the key that wraps, ECDH-ES; 0: RSA
};

constexpr std::array<JweAlgorithm, 5> jwe_algorithms{{{"RSA-OAEP", RsaPadding::oaep_sha1, 0},
                                                      {"RSA-OAEP-256", RsaPadding::oaep_sha256, 0},
                                                      {"ECDH-ES+A128KW", {}, 16},
                                                      {"ECDH-ES+A192KW", {}, 24},
                                                      {"ECDH-ES+A256KW", {}, 32}}};

const JweAlgorithm* find_jwe_algorithm(std::string_view name) {
  for (const JweAlgorithm& algorithm : jwe_algorithms) {
    if (algorithm.name == name) return &algorithm;
  }
  return nullptr;
}

[[noreturn]] void refuse_jwe(std::string_view reason) {
  throw Error(Kind::invalid_input, "JWE: " + std::string(reason));
}

std::string jwe_data(const Json& object, std::string_view name) {
  auto data = spec::base64url_decode(spec::string_member(object, name, "JWE"));
  if (!data) refuse_jwe(std::string(name) + " is not base64url");
  return std::move(*data);
}

const Json& jwe_object(const Json& object, std::string_view name) {
  static const Json empty = Json::object();
  const Json* value = spec::find_member(object, name);
  if (value == nullptr) return empty;
  if (!value->is_object()) refuse_jwe(std::string(name) + " is not an object");
  return *value;
}

// Encrypts the content key; what the recipient's header gets is added to `header`.
std::string encrypt_content_key(const JweRecipient& recipient, std::string_view content_key, Json& header) {
  const JweAlgorithm* algorithm = find_jwe_algorithm(recipient.algorithm);
  if (algorithm == nullptr || !is_jwe_algorithm(recipient.algorithm, recipient.key))
    throw Error(Kind::unsupported, recipient.algorithm + " is an unsupported JWE key algorithm");
  header["alg"] = algorithm->name;
  if (!recipient.key_id.empty()) header["kid"] = recipient.key_id;
  if (algorithm->wrap_size == 0) return encrypt_rsa(recipient.key, algorithm->padding, content_key);
  const Key ephemeral = generate_ec_key(curve_of(recipient.key));
  header["epk"] = ec_public_jwk(ephemeral);
  const Secret wrapping =
      agree(ephemeral, recipient.key, {recipient.algorithm, "", ""}, algorithm->wrap_size);
  return wrap_key(wrapping.bytes(), content_key);
}

struct EncryptedKey {
  Json header;  // all three headers as one
  std::string bytes;
};

// nullopt: not for this key.
std::optional<std::string> decrypt_content_key(const EncryptedKey& encrypted, const Key& key) {
  const std::string name = spec::string_member(encrypted.header, "alg", "JWE");
  const JweAlgorithm* algorithm = find_jwe_algorithm(name);
  if (algorithm == nullptr || !is_jwe_algorithm(name, key)) return std::nullopt;
  if (algorithm->wrap_size == 0) return decrypt_rsa(key, algorithm->padding, encrypted.bytes);
  const Jwk ephemeral = parse_jwk(jwe_object(encrypted.header, "epk"));
  if (curve_of(ephemeral.key) != curve_of(key)) return std::nullopt;
  const Secret wrapping =
      agree(key, ephemeral.key, {name, jwe_data(encrypted.header, "apu"), jwe_data(encrypted.header, "apv")},
            algorithm->wrap_size);
  return unwrap_key(wrapping.bytes(), encrypted.bytes);
}

// Their members MUST be disjoint (RFC 7516 section 4).
void merge_header(Json& into, const Json& header) {
  for (const auto& [name, value] : header.get_ref<const Json::object_t&>()) {
    if (into.contains(name)) refuse_jwe("header " + spec::dump_json(name) + " is there twice");
    into[name] = value;
  }
}

struct Jwe {
  std::string aad, nonce;
  Sealed sealed;
  std::vector<EncryptedKey> recipients;
};

Jwe parse_jwe(std::string_view text) {
  const Json document = spec::parse_json(text, "JWE", max_jwe_size);
  if (!document.is_object()) refuse_jwe("not an object");
  Jwe jwe{spec::string_member(document, "protected", "JWE"),
          jwe_data(document, "iv"),
          {jwe_data(document, "ciphertext"), jwe_data(document, "tag")},
          {}};
  Json shared = Json::object();
  if (!jwe.aad.empty()) {
    const Json header =
        spec::parse_json(jwe_data(document, "protected"), "JWE: protected header", max_jwe_size);
    if (!header.is_object()) refuse_jwe("the protected header is not an object");
    merge_header(shared, header);
  }
  if (document.contains("aad")) jwe.aad += "." + spec::string_member(document, "aad", "JWE");
  merge_header(shared, jwe_object(document, "unprotected"));
  const auto add = [&](const Json& recipient) {
    if (!recipient.is_object()) refuse_jwe("a recipient is not an object");
    EncryptedKey key{shared, jwe_data(recipient, "encrypted_key")};
    merge_header(key.header, jwe_object(recipient, "header"));
    jwe.recipients.push_back(std::move(key));
  };
  const auto& recipients = spec::array_member(document, "recipients", "JWE");
  if (recipients.size() > max_jwe_recipients) refuse_jwe("too many recipients");
  for (const Json& recipient : recipients) add(recipient);
  if (recipients.empty()) add(document);
  return jwe;
}

std::size_t content_key_size_of(const Json& header) {
  for (const char* unsupported : {"zip", "crit"}) {
    if (header.contains(unsupported))
      throw Error(Kind::unsupported, "JWE: header \"" + std::string(unsupported) + "\" is not supported");
  }
  const std::string name = spec::string_member(header, "enc", "JWE");
  if (name == "A128GCM") return 16;
  if (name == "A192GCM") return 24;
  if (name == "A256GCM") return 32;
  throw Error(Kind::unsupported, "JWE: content encryption " + spec::dump_json(name) + " is not supported");
}

}  // namespace

bool is_jwe_algorithm(std::string_view name, const Key& key) {
  const JweAlgorithm* algorithm = find_jwe_algorithm(name);
  if (algorithm == nullptr) return false;
  return algorithm->wrap_size == 0 ? is_rsa(key) : !curve_of(key).empty();
}

std::string encrypt_jwe(std::string_view plain, const std::vector<JweRecipient>& recipients) {
  const Secret content_key(random_bytes(content_key_size));
  const bool flattened = recipients.size() == 1;
  Json protected_header = {{"enc", "A256GCM"}};
  Json list = Json::array();
  std::string encrypted_key;
  for (const JweRecipient& recipient : recipients) {
    Json header = Json::object();
    encrypted_key = spec::base64url_encode(
        encrypt_content_key(recipient, content_key.bytes(), flattened ? protected_header : header));
    if (!flattened) list.push_back({{"header", header}, {"encrypted_key", encrypted_key}});
  }
  const std::string aad = spec::base64url_encode(spec::dump_json(protected_header));
  const std::string nonce = random_bytes(12);
  const Sealed sealed = seal_gcm(content_key.bytes(), nonce, plain, aad);

  Json document = {{"protected", aad}};
  if (flattened)
    document["encrypted_key"] = encrypted_key;
  else
    document["recipients"] = list;
  document["iv"] = spec::base64url_encode(nonce);
  document["ciphertext"] = spec::base64url_encode(sealed.ciphertext);
  document["tag"] = spec::base64url_encode(sealed.tag);
  return spec::dump_json(document);
}

std::optional<std::string> decrypt_jwe(std::string_view text, const std::vector<Key>& keys) {
  const Jwe jwe = parse_jwe(text);
  for (const EncryptedKey& recipient : jwe.recipients) {
    const std::size_t size = content_key_size_of(recipient.header);
    for (const Key& key : keys) {
      auto content_key = decrypt_content_key(recipient, key);
      if (!content_key) continue;
      const Secret owner(std::move(*content_key));
      if (owner.bytes().size() != size) continue;
      if (auto plain = open_gcm(owner.bytes(), jwe.nonce, jwe.sealed, jwe.aad)) return plain;
    }
  }
  return std::nullopt;
}

}  // namespace lade::crypt
