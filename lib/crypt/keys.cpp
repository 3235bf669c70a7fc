#include "crypt/keys.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "crypt/jwe.hpp"
#include "crypt/jwk.hpp"
#include "crypt/openssl_handles.hpp"
#include "os/file.hpp"

namespace lade::crypt {

namespace {

constexpr std::size_t max_key_file_size = 1024 * 1024;
constexpr std::size_t max_password_size = 4096;
constexpr int min_rsa_bits = 2048;

[[noreturn]] void refuse_key(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

Key owned(EVP_PKEY* key) {
  ERR_clear_error();
  return key == nullptr ? nullptr : Key(key, EVP_PKEY_free);
}

// What a JSON document is as a key; nullopt if it is no JSON document.
std::optional<Jwk> find_jwk(std::string_view bytes) {
  const auto document = spec::try_parse_json(bytes, max_key_file_size);
  return document && document->is_object() ? std::optional(parse_jwk(*document)) : std::nullopt;
}

Certificate find_certificate(std::string_view bytes) {
  X509* certificate = PEM_read_bio_X509(bio_of(bytes).get(), nullptr, nullptr, nullptr);
  const unsigned char* der = bytes_of(bytes);
  if (certificate == nullptr) certificate = d2i_X509(nullptr, &der, static_cast<long>(bytes.size()));
  ERR_clear_error();
  return certificate == nullptr ? nullptr : Certificate(certificate, X509_free);
}

Key find_public_key(std::string_view bytes) {
  if (Key key = owned(PEM_read_bio_PUBKEY(bio_of(bytes).get(), nullptr, nullptr, nullptr))) return key;
  const unsigned char* der = bytes_of(bytes);
  return owned(d2i_PUBKEY(nullptr, &der, static_cast<long>(bytes.size())));
}

void refuse_weak(const Key& key) {
  if (is_rsa(key) && EVP_PKEY_get_bits(key.get()) < min_rsa_bits)
    refuse_key("RSA keys need at least 2048 bits");
}

struct Password {
  std::string_view text;
  bool asked = false;
};

int give_password(char* buffer, int size, int, void* data) {
  auto& password = *static_cast<Password*>(data);
  password.asked = true;
  if (password.text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(password.text.begin(), password.text.end(), buffer);
  return static_cast<int>(password.text.size());
}

bool starts_as_openpgp(std::string_view bytes) {
  const auto first = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
  return bytes.starts_with("-----BEGIN PGP") || first == 0x95 || first == 0x94 || first == 0x97 ||
         first == 0xC5;
}

std::string read_password_descriptor(std::string_view number) {
  int fd = -1;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (code != std::errc() || end != number.data() + number.size() || fd < 0)
    refuse_key("could not parse file descriptor " + std::string(number));
  os::FileReader reader(os::duplicate(fd));
  return io::read_all(reader, max_password_size, "password");
}

std::string read_password(std::string_view text) {
  if (text.starts_with("file=")) return os::read_file(std::string(text.substr(5)), max_password_size);
  if (text.starts_with("pass=")) return std::string(text.substr(5));
  if (text.starts_with("fd=")) return read_password_descriptor(text.substr(3));
  return std::string(text);
}

void add_decryption_key(DecryptionKeys& keys, std::string_view bytes, std::string_view password) {
  if (Key key = parse_private_key(bytes, password)) {
    keys.keys.push_back(std::move(key));
  } else if (Certificate certificate = find_certificate(bytes)) {
    keys.certificates.push_back(std::move(certificate));
  } else if (starts_as_openpgp(bytes)) {
    throw Error(Kind::unsupported, "decryption by OpenPGP keys (pgp) is not supported");
  } else if (bytes.find("pkcs11:") != std::string_view::npos) {
    throw Error(Kind::unsupported, "decryption by keys of PKCS #11 tokens is not supported");
  } else {
    refuse_key("neither a private key (PEM, DER or JWK) nor a certificate");
  }
}

}  // namespace

JweRecipient parse_jwe_recipient(std::string_view bytes) {
  JweRecipient recipient{find_public_key(bytes), "", ""};
  if (!recipient.key) {
    const auto jwk = find_jwk(bytes);
    if (!jwk || jwk->is_private) refuse_key("File provided is not a public key");
    recipient = {jwk->key, jwk->algorithm, jwk->key_id};
  }
  refuse_weak(recipient.key);
  const bool rsa = is_rsa(recipient.key);
  if (!rsa && curve_of(recipient.key).empty())
    throw Error(Kind::unsupported, "only RSA keys and EC keys on P-256, P-384 and P-521 are supported");
  if (recipient.algorithm.empty()) recipient.algorithm = rsa ? "RSA-OAEP" : "ECDH-ES+A256KW";
  if (!is_jwe_algorithm(recipient.algorithm, recipient.key))
    throw Error(Kind::unsupported, recipient.algorithm + " is an unsupported JWE key algorithm");
  return recipient;
}

Certificate parse_pkcs7_recipient(std::string_view bytes) {
  Certificate certificate = find_certificate(bytes);
  if (!certificate) refuse_key("File provided is not an x509 cert");
  const Key key = owned(X509_get_pubkey(certificate.get()));
  if (!key || !is_rsa(key)) throw Error(Kind::unsupported, "the certificate has no RSA key");
  refuse_weak(key);
  return certificate;
}

Recipients read_recipients(const std::vector<std::string>& texts) {
  Recipients recipients;
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) refuse_key("Invalid recipient format");
    const std::string protocol = text.substr(0, colon), path = text.substr(colon + 1);
    if (protocol == "pgp" || protocol == "pkcs11" || protocol == "provider")
      throw Error(Kind::unsupported,
                  protocol + ": encryption by this protocol is not supported, but by jwe and pkcs7");
    if (protocol != "jwe" && protocol != "pkcs7") refuse_key("Provided protocol not recognized");
    in_context([&] { return text; },
               [&] {
                 const std::string bytes = os::read_file(path, max_key_file_size);
                 if (protocol == "jwe")
                   recipients.jwe.push_back(parse_jwe_recipient(bytes));
                 else
                   recipients.pkcs7.push_back(parse_pkcs7_recipient(bytes));
               });
  }
  return recipients;
}

Key parse_private_key(std::string_view bytes, std::string_view password) {
  Password given{password, false};
  if (Key key = owned(PEM_read_bio_PrivateKey(bio_of(bytes).get(), nullptr, give_password, &given)))
    return key;
  if (given.asked)
    throw Error(Kind::denied, password.empty() ? "Missing password for encrypted private key"
                                               : "Wrong password: could not decrypt private key");
  const unsigned char* der = bytes_of(bytes);
  if (Key key = owned(d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(bytes.size())))) return key;
  const auto jwk = find_jwk(bytes);
  return jwk && jwk->is_private ? jwk->key : nullptr;
}

DecryptionKeys read_decryption_keys(const std::vector<std::string>& texts) {
  DecryptionKeys keys;
  for (const std::string& text : texts) {
    if (text.starts_with("provider:"))
      throw Error(Kind::unsupported, "provider: decryption by key providers is not supported");
    const std::size_t colon = text.find(':');
    const std::string path = text.substr(0, colon);
    const std::string password =
        colon == std::string::npos ? "" : read_password(std::string_view(text).substr(colon + 1));
    in_context([&] { return path; },
               [&] { add_decryption_key(keys, os::read_file(path, max_key_file_size), password); });
  }
  if (!texts.empty() && keys.keys.empty()) refuse_key("there is no private key among them");
  return keys;
}

}  // namespace lade::crypt
