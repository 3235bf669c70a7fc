#include "crypt/enveloped.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "crypt/der.hpp"
#include "crypt/jwk.hpp"
#include "crypt/layer_secret.hpp"
#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"
#include "crypt/rsa.hpp"

namespace lade::crypt {

namespace {

constexpr std::size_t max_enveloped_size = 1024 * 1024;
constexpr std::size_t max_enveloped_recipients = 64;
constexpr std::size_t gcm_tag = 16;

using std::string_view_literals::operator""sv;
constexpr std::string_view oid_enveloped_data = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03"sv;
constexpr std::string_view oid_rsa_encryption = "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"sv;

struct ContentCipher {
  std::string_view oid;
  std::size_t key_size;
  bool gcm;
};

constexpr ContentCipher content_ciphers[] = {
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x02"sv, 16, false},
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x16"sv, 24, false},
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x2A"sv, 32, false},
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x06"sv, 16, true},
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x1A"sv, 24, true},
    {"\x60\x86\x48\x01\x65\x03\x04\x01\x2E"sv, 32, true},
};

[[noreturn]] void refuse_enveloped(std::string_view reason) {
  throw Error(Kind::invalid_input, "PKCS #7: " + std::string(reason));
}

struct EnvelopedRecipient {
  std::string_view issuer, serial;  // DER of the name, content of the number
  std::string_view encrypted_key;
};

struct Enveloped {
  std::vector<EnvelopedRecipient> recipients;  // those with RSA keys, told by issuer and serial number
  const ContentCipher* cipher = nullptr;
  std::string nonce;
  std::string ciphertext;
};

std::optional<EnvelopedRecipient> parse_recipient(std::string_view content) {
  DerReader info(content);
  info.read(der::integer);
  if (info.next_tag() != der::sequence) return std::nullopt;  // by the key's identifier
  DerReader name(info.read(der::sequence));
  const auto issuer = name.read();
  const std::string_view serial = name.read(der::integer);
  DerReader algorithm(info.read(der::sequence));
  if (algorithm.read(der::object_identifier) != oid_rsa_encryption) return std::nullopt;
  return EnvelopedRecipient{issuer.whole, serial, info.read(der::octet_string)};
}

// {nonce, length of the tag}; Go's packages put a sequence into a sequence, and another tag on the nonce.
std::string gcm_nonce(DerReader::Element parameters) {
  DerReader reader(parameters.content);
  if (reader.next_tag() == der::sequence) reader = DerReader(reader.read(der::sequence));
  const auto nonce = reader.read();
  if (nonce.tag != der::octet_string && nonce.tag != der::context_primitive(4))
    refuse_enveloped("no nonce of AES-GCM");
  if (reader.at_end() || reader.read(der::integer) != "\x10"sv)
    refuse_enveloped("the tag of AES-GCM has not 16 bytes");
  return std::string(nonce.content);
}

// In one piece or in several.
std::string encrypted_content(DerReader& reader) {
  const auto element = reader.read();
  if (element.tag == der::context_primitive(0)) return std::string(element.content);
  if (element.tag != der::context(0)) refuse_enveloped("no encrypted content");
  std::string content;
  for (DerReader parts(element.content); !parts.at_end();) content += parts.read(der::octet_string);
  return content;
}

void parse_content(Enveloped& enveloped, std::string_view info) {
  DerReader reader(info);
  reader.read(der::object_identifier);
  DerReader algorithm(reader.read(der::sequence));
  const std::string_view oid = algorithm.read(der::object_identifier);
  const auto* cipher = std::find_if(std::begin(content_ciphers), std::end(content_ciphers),
                                    [&](const ContentCipher& known) { return known.oid == oid; });
  if (cipher == std::end(content_ciphers))
    throw Error(Kind::unsupported, "PKCS #7: content is not encrypted by AES-CBC or AES-GCM");
  enveloped.cipher = cipher;
  const auto parameters = algorithm.read();
  enveloped.nonce = cipher->gcm ? gcm_nonce(parameters) : std::string(parameters.content);
  enveloped.ciphertext = encrypted_content(reader);
}

Enveloped parse_enveloped(std::string_view bytes) {
  if (bytes.size() > max_enveloped_size) refuse_enveloped("too long");
  DerReader outer(bytes);
  DerReader info(outer.read(der::sequence));
  if (info.read(der::object_identifier) != oid_enveloped_data) refuse_enveloped("no EnvelopedData");
  DerReader wrapper(info.read(der::context(0)));
  DerReader data(wrapper.read(der::sequence));
  data.read(der::integer);
  if (data.next_tag() == der::context(0)) data.read();  // certificates of its writer
  Enveloped enveloped;
  std::size_t count = 0;
  for (DerReader recipients(data.read(der::set)); !recipients.at_end();) {
    if (++count > max_enveloped_recipients) refuse_enveloped("too many recipients");
    const auto recipient = recipients.read();
    if (recipient.tag != der::sequence) continue;  // of another kind
    if (auto known = parse_recipient(recipient.content)) enveloped.recipients.push_back(*known);
  }
  parse_content(enveloped, data.read(der::sequence));
  return enveloped;
}

std::string encode_name(const X509_NAME* name) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_NAME(name, &bytes);
  if (size < 0) throw_openssl("certificate");
  std::string text(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

std::string encode_serial(const X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &bytes);
  if (size < 0) throw_openssl("certificate");
  const std::string whole(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return std::string(DerReader(whole).read(der::integer));
}

bool is_meant(const EnvelopedRecipient& recipient, const std::vector<Certificate>& certificates) {
  return certificates.empty() ||
         std::any_of(certificates.begin(), certificates.end(), [&](const Certificate& certificate) {
           return recipient.issuer == encode_name(X509_get_issuer_name(certificate.get())) &&
                  recipient.serial == encode_serial(certificate.get());
         });
}

std::optional<std::string> decrypt_content(const Enveloped& enveloped, std::string_view key) {
  if (key.size() != enveloped.cipher->key_size) return std::nullopt;
  if (!enveloped.cipher->gcm) return decrypt_cbc(key, enveloped.nonce, enveloped.ciphertext);
  if (enveloped.ciphertext.size() < gcm_tag) return std::nullopt;
  const std::size_t size = enveloped.ciphertext.size() - gcm_tag;
  return open_gcm(key, enveloped.nonce,
                  {enveloped.ciphertext.substr(0, size), enveloped.ciphertext.substr(size)}, "");
}

}  // namespace

std::string encrypt_enveloped(std::string_view plain, const std::vector<Certificate>& recipients) {
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> stack(
      sk_X509_new_null(), [](STACK_OF(X509) * certificates) { sk_X509_free(certificates); });
  for (const Certificate& certificate : recipients) {
    if (!stack || sk_X509_push(stack.get(), certificate.get()) == 0) throw_openssl("PKCS #7");
  }
  const BioHandle input = bio_of(plain);
  const CmsHandle cms(CMS_encrypt(stack.get(), input.get(), EVP_aes_256_cbc(), CMS_BINARY));
  const BioHandle output(BIO_new(BIO_s_mem()));
  if (!cms || !output || i2d_CMS_bio(output.get(), cms.get()) != 1) throw_openssl("PKCS #7");
  return text_in(output.get());
}

std::vector<std::string> decrypt_enveloped(std::string_view der, const DecryptionKeys& keys) {
  const Enveloped enveloped = parse_enveloped(der);
  std::vector<std::string> found;
  for (const EnvelopedRecipient& recipient : enveloped.recipients) {
    if (!is_meant(recipient, keys.certificates)) continue;
    for (const Key& key : keys.keys) {
      if (!is_rsa(key)) continue;
      auto content_key = decrypt_rsa(key, RsaPadding::pkcs1, recipient.encrypted_key);
      if (!content_key) continue;
      const Secret owner(std::move(*content_key));
      if (auto plain = decrypt_content(enveloped, owner.bytes())) found.push_back(std::move(*plain));
    }
  }
  return found;
}

}  // namespace lade::crypt
