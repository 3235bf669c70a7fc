#include "trust/certificates.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "spec/json.hpp"
#include "trust/openssl_handles.hpp"

namespace lade::trust {

namespace {

using StoreHandle = std::unique_ptr<X509_STORE, FreeBy<X509_STORE_free>>;
using StoreContextHandle = std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
using UsageHandle = std::unique_ptr<EXTENDED_KEY_USAGE, FreeBy<EXTENDED_KEY_USAGE_free>>;
using ObjectHandle = std::unique_ptr<ASN1_OBJECT, FreeBy<ASN1_OBJECT_free>>;
using Utf8Handle = std::unique_ptr<ASN1_UTF8STRING, FreeBy<ASN1_UTF8STRING_free>>;

void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}
using CertificatesHandle = std::unique_ptr<STACK_OF(X509), FreeBy<free_certificates>>;

constexpr int max_certificates = 32, max_chain = 10;

[[noreturn]] void refuse_certificate(const std::string& why) {
  ERR_clear_error();
  throw Error(Kind::denied, why);
}

// All certificates of a PEM text.
CertificatesHandle parse_certificates(std::string_view pem, Kind kind, const std::string& what) {
  CertificatesHandle result(sk_X509_new_null());
  const auto bio = bio_of(pem);
  while (bio && result) {
    X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
    if (certificate == nullptr) break;
    if (sk_X509_push(result.get(), certificate) == 0) X509_free(certificate);
    if (sk_X509_num(result.get()) > max_certificates) throw Error(kind, what + ": too many certificates");
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) throw Error(kind, what + ": not certificates in PEM format");
  return result;
}

StoreHandle store_of(const std::string& roots, Kind kind) {
  const auto certificates = parse_certificates(roots, kind, "loading CA certificates");
  StoreHandle store(X509_STORE_new());
  if (!store || sk_X509_num(certificates.get()) == 0)
    throw Error(kind, "error loading CA certificates: there are none");
  for (int i = 0; i < sk_X509_num(certificates.get()); ++i)
    X509_STORE_add_cert(store.get(), sk_X509_value(certificates.get(), i));
  return store;
}

// A certificate that says nothing of its use is for all.
bool may_sign_code(X509* certificate) {
  int critical = 0;
  const UsageHandle usage(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, nullptr)));
  if (!usage) return critical == -1;  // absent, and neither broken nor twice
  for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usage.get(), i));
    if (nid == NID_code_sign || nid == NID_anyExtendedKeyUsage) return true;
  }
  return false;
}

void verify_chain(const CertificateRule& rule, X509* leaf, std::string_view chain,
                  const std::optional<std::int64_t>& time) {
  const auto store = store_of(rule.roots, Kind::invalid_input);
  const auto untrusted = parse_certificates(chain, Kind::denied, "loading certificate chain");
  const auto trusted = parse_certificates(rule.intermediates, Kind::invalid_input, "loading intermediates");
  for (int i = 0; i < sk_X509_num(trusted.get()); ++i) {
    X509* certificate = sk_X509_value(trusted.get(), i);
    X509_up_ref(certificate);
    if (sk_X509_push(untrusted.get(), certificate) == 0) X509_free(certificate);
  }
  const StoreContextHandle context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted.get()) != 1)
    refuse_certificate("verifying leaf certificate failed");
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_depth(parameters, max_chain);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  if (time) X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(*time));
  if (X509_verify_cert(context.get()) != 1) {
    refuse_certificate(std::string("verifying leaf certificate failed: ") +
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  const auto* verified = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(verified); ++i)
    if (!may_sign_code(sk_X509_value(verified, i)))
      refuse_certificate("verifying leaf certificate failed: not for signing code");
}

std::string text_of_asn1(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::vector<std::string> emails_of(X509* certificate) {
  std::vector<std::string> result;
  const NamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_EMAIL) result.push_back(text_of_asn1(name->d.rfc822Name));
  }
  return result;
}

// The value of the extension; Kind::denied if it is there twice.
std::optional<std::string> extension(X509* certificate, const char* oid) {
  const ObjectHandle object(OBJ_txt2obj(oid, 1));
  const int at = X509_get_ext_by_OBJ(certificate, object.get(), -1);
  if (at < 0) return std::nullopt;
  if (X509_get_ext_by_OBJ(certificate, object.get(), at) >= 0)
    refuse_certificate("Fulcio certificate has a duplicate OIDC issuer extension");
  return text_of_asn1(X509_EXTENSION_get_data(X509_get_ext(certificate, at)));
}

// github.com/sigstore/fulcio, docs/oid-info.md: the first is plain text, the second a UTF8String.
std::string oidc_issuer_of(X509* certificate) {
  const auto first = extension(certificate, "1.3.6.1.4.1.57264.1.1");
  auto second = extension(certificate, "1.3.6.1.4.1.57264.1.8");
  if (second) {
    const auto* at = bytes_of(*second);
    const auto* end = at + second->size();
    const Utf8Handle text(d2i_ASN1_UTF8STRING(nullptr, &at, static_cast<long>(second->size())));
    if (!text || at != end) refuse_certificate("invalid ASN.1 in OIDC issuer v2 extension");
    second = text_of_asn1(text.get());
  }
  if (first && second && first != second) refuse_certificate("inconsistent OIDC issuer extension values");
  if (!first && !second) refuse_certificate("Fulcio certificate is missing the issuer extension");
  return first ? *first : *second;
}

void check_subject(const CertificateRule& rule, X509* certificate) {
  if (!rule.oidc_issuer.empty()) {
    const std::string issuer = oidc_issuer_of(certificate);
    if (issuer != rule.oidc_issuer)
      refuse_certificate("Unexpected Fulcio OIDC issuer " + spec::dump_json(issuer));
  }
  if (!rule.email.empty()) {
    const auto emails = emails_of(certificate);
    if (std::ranges::find(emails, rule.email) == emails.end())
      refuse_certificate("Required email " + spec::dump_json(rule.email) + " not found (got " +
                         spec::dump_json(emails) + ")");
  }
  if (!rule.hostname.empty() &&
      X509_check_host(certificate, rule.hostname.data(), rule.hostname.size(),
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                      nullptr) != 1) {
    refuse_certificate("Unexpected subject hostname: the certificate is not for " + rule.hostname);
  }
}

}  // namespace

PublicKey verify_certificate(const CertificateRule& rule, std::string_view certificate,
                             std::string_view chain, const std::optional<std::int64_t>& time) {
  const auto leaves = parse_certificates(certificate, Kind::denied, "parsing leaf certificate");
  if (sk_X509_num(leaves.get()) != 1)
    refuse_certificate("not exactly one certificate found in signature certificate data");
  X509* leaf = sk_X509_value(leaves.get(), 0);
  verify_chain(rule, leaf, chain, time);
  check_subject(rule, leaf);
  EVP_PKEY* key = X509_get_pubkey(leaf);
  if (key == nullptr) refuse_certificate("the certificate has no usable key");
  return PublicKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

}  // namespace lade::trust
