#include "registry/tls_details.hpp"

#include <openssl/err.h>

#include <map>
#include <memory>

#include "base/error.hpp"
#include "registry/tls.hpp"

namespace lade::registry {

namespace {

struct KnownSuite {
  std::string name;  // OpenSSL's
  bool tls13 = false;
};

// By IANA's names: all that OpenSSL has.
const std::map<std::string, KnownSuite, std::less<>>& known_suites() {
  static const auto suites = [] {
    std::map<std::string, KnownSuite, std::less<>> result;
    const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    if (context == nullptr) throw Error(Kind::system, "tls: cannot make a context");
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_cipher_list(context.get(), "ALL:COMPLEMENTOFALL");
    SSL_CTX_set_ciphersuites(context.get(),
                             "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                             "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
    const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
      const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
      const char* standard = SSL_CIPHER_standard_name(cipher);
      if (standard == nullptr) continue;
      const bool tls13 = std::string_view(SSL_CIPHER_get_version(cipher)) == "TLSv1.3";
      result[standard] = {SSL_CIPHER_get_name(cipher), tls13};
    }
    return result;
  }();
  return suites;
}

void add_name(std::string& list, std::string_view name) {
  if (!list.empty()) list += ':';
  list += name;
}

void require_tls(int result, std::string_view what) {
  if (result == 1) return;
  ERR_clear_error();
  throw Error(Kind::invalid_input, "tls: OpenSSL cannot use " + std::string(what));
}

void allow_suites(SSL_CTX* context, const std::vector<std::string>& names) {
  if (names.empty()) throw Error(Kind::invalid_input, "tls: the TLS details allow no cipher suite");
  std::string modern, older;
  for (const std::string& name : names) {
    const auto suite = known_suites().find(name);
    if (suite == known_suites().end())
      throw Error(Kind::invalid_input, "unrecognized TLS cipher suite \"" + name + "\"");
    add_name(suite->second.tls13 ? modern : older, suite->second.name);
  }
  require_tls(SSL_CTX_set_ciphersuites(context, modern.c_str()), "these cipher suites");
  // Suites of TLS 1.3 and of those before are two lists: a version that has none is left out.
  if (modern.empty()) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (older.empty())
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  else
    require_tls(SSL_CTX_set_cipher_list(context, older.c_str()), "these cipher suites");
}

void allow_groups(SSL_CTX* context, const std::vector<std::string>& names) {
  static const std::map<std::string, const char*, std::less<>> groups{{"secp256r1", "P-256"},
                                                                      {"secp384r1", "P-384"},
                                                                      {"secp521r1", "P-521"},
                                                                      {"x25519", "X25519"},
                                                                      {"X25519MLKEM768", "X25519MLKEM768"}};
  std::string list;
  for (const std::string& name : names) {
    const auto group = groups.find(name);
    if (group == groups.end())
      throw Error(Kind::invalid_input, "unrecognized TLS named group \"" + name + "\"");
    add_name(list, group->second);
    require_tls(SSL_CTX_set1_groups_list(context, group->second), "named group \"" + name + "\"");
  }
  require_tls(SSL_CTX_set1_groups_list(context, list.c_str()), "these named groups");
}

void set_min_version(SSL_CTX* context, const std::string& version) {
  static const std::map<std::string, int, std::less<>> versions{
      {"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION}};
  const int number = versions.at(version);
  require_tls(SSL_CTX_set_min_proto_version(context, number), "version " + version);
  // What these versions sign with is below every other level.
  if (number < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
}

}  // namespace

void apply_tls_details(SSL_CTX* context, const config::TlsDetails& details) {
  if (!details.min_version.empty()) set_min_version(context, details.min_version);
  if (details.cipher_suites) {
    allow_suites(context, *details.cipher_suites);
    const int min = SSL_CTX_get_min_proto_version(context), max = SSL_CTX_get_max_proto_version(context);
    if ((max != 0 && min > max) || (details.min_version == "1.3" && max == TLS1_2_VERSION))
      throw Error(Kind::invalid_input, "tls: no cipher suite of the allowed versions is allowed");
  }
  if (!details.named_groups.empty()) allow_groups(context, details.named_groups);
}

void check_tls_details(const config::TlsDetails& details) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) throw Error(Kind::system, "tls: cannot make a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  apply_tls_details(context.get(), details);
}

}  // namespace lade::registry
