#include "registry/tls_details.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "registry/tls.hpp"
#include "support/errors.hpp"

using namespace lade;
using config::TlsDetails;
using registry::SslContextPtr;

namespace {

SslContextPtr context_with(const TlsDetails& details) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  registry::apply_tls_details(context.get(), details);
  return context;
}

// The standard names of what it offers.
std::vector<std::string> suites_of(const SslContextPtr& context) {
  std::vector<std::string> names;
  const std::unique_ptr<SSL, registry::OpensslFree<SSL_free>> ssl(SSL_new(context.get()));
  STACK_OF(SSL_CIPHER)* ciphers = SSL_get1_supported_ciphers(ssl.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i)
    names.emplace_back(SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(ciphers, i)));
  sk_SSL_CIPHER_free(ciphers);
  return names;
}

}  // namespace

TEST_CASE("TLS details: the version is the least that is spoken") {
  CHECK(SSL_CTX_get_min_proto_version(context_with({"1.3", {}, {}}).get()) == TLS1_3_VERSION);
  CHECK(SSL_CTX_get_min_proto_version(context_with({"1.0", {}, {}}).get()) == TLS1_VERSION);
  CHECK(SSL_CTX_get_min_proto_version(context_with({"", {}, {}}).get()) == TLS1_2_VERSION);
}

TEST_CASE("TLS details: only the suites that are named are offered, of either version") {
  using Names = std::vector<std::string>;
  const Names modern{"TLS_AES_128_GCM_SHA256"}, older{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"};
  CHECK(suites_of(context_with({"", modern, {}})) == modern);
  CHECK(suites_of(context_with({"", older, {}})) == older);
  const Names both{modern[0], older[0]};
  CHECK(suites_of(context_with({"", both, {}})) == both);
}

TEST_CASE("TLS details: what OpenSSL does not have, and what leaves nothing, is refused") {
  const auto refusal = [](const TlsDetails& details) {
    return test::message_of([&] { registry::check_tls_details(details); });
  };
  CHECK(refusal({"", {{"TLS_ROT13"}}, {}}) == "unrecognized TLS cipher suite \"TLS_ROT13\"");
  CHECK(refusal({"", {}, {"secp112r1"}}) == "unrecognized TLS named group \"secp112r1\"");
  CHECK(refusal({"", {std::vector<std::string>()}, {}}) == "tls: the TLS details allow no cipher suite");
  CHECK(refusal({"1.3", {{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}}, {}}) ==
        "tls: no cipher suite of the allowed versions is allowed");
}

TEST_CASE("TLS details: named groups are taken in their order") {
  CHECK_NOTHROW(registry::check_tls_details({"", {}, {"secp384r1", "x25519", "secp256r1", "secp521r1"}}));
}
