// Checking a server's certificate: OpenSSL finds the faults, Go's order and words tell of them.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "registry/tls.hpp"

namespace lade::registry {

namespace {

using StoreContext = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;

// The faults of a chain, each with the first certificate that has it.
struct Faults {
  std::optional<int> time, name, authority, other;
  std::string time_text;
};

std::string rfc3339(const std::tm& time) {
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return text.data();
}

std::string time_fault(const X509* certificate, bool expired) {
  std::tm limit{}, now{};
  ASN1_TIME_to_tm(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), &limit);
  const std::time_t seconds = std::time(nullptr);
  ::gmtime_r(&seconds, &now);
  return "x509: certificate has expired or is not yet valid: current time " + rfc3339(now) + " is " +
         (expired ? "after " : "before ") + rfc3339(limit);
}

bool is_authority_fault(int error) {
  constexpr std::array errors{
      X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,       X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,       X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED};
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

// Notes the fault and lets OpenSSL go on, so that all of them are known.
int note_fault(int ok, X509_STORE_CTX* chain) {
  if (ok == 1) return 1;
  Faults& faults = *static_cast<Faults*>(X509_STORE_CTX_get_app_data(chain));
  const int error = X509_STORE_CTX_get_error(chain);
  const bool expired = error == X509_V_ERR_CERT_HAS_EXPIRED;
  if (expired || error == X509_V_ERR_CERT_NOT_YET_VALID) {
    if (!faults.time) faults.time_text = time_fault(X509_STORE_CTX_get_current_cert(chain), expired);
    faults.time = error;
  } else if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    faults.name = error;
  } else if (is_authority_fault(error)) {
    faults.authority = error;
  } else if (!faults.other) {
    faults.other = error;
  }
  return 1;
}

Faults check(X509_STORE_CTX* chain) {
  Faults faults;
  X509_STORE_CTX_set_app_data(chain, &faults);
  X509_STORE_CTX_set_verify_cb(chain, note_fault);
  if (X509_verify_cert(chain) <= 0 && !faults.other) faults.other = X509_V_ERR_UNSPECIFIED;
  X509_STORE_CTX_set_app_data(chain, nullptr);
  return faults;
}

// The same question again: a X509_STORE_CTX can be verified only once.
Faults check_again(X509_STORE_CTX* chain, X509_STORE* store) {
  const StoreContext again(X509_STORE_CTX_new());
  if (!again || X509_STORE_CTX_init(again.get(), store, X509_STORE_CTX_get0_cert(chain),
                                    X509_STORE_CTX_get0_untrusted(chain)) != 1) {
    Faults faults;
    faults.other = X509_V_ERR_OUT_OF_MEM;
    return faults;
  }
  X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(again.get()), X509_STORE_CTX_get0_param(chain));
  return check(again.get());
}

// Names come from the peer: nothing of them may act on a terminal.
std::string printable(const ASN1_STRING* text) {
  std::string result(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c <= 0x20 || c >= 0x7f; }, '?');
  return result;
}

std::string address_of(const ASN1_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return "?";
  ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

// What the certificate is valid for, "a, b"; "" if it names nothing of that type.
std::string names_in(const X509* certificate, int type) {
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string list;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != type) continue;
    if (!list.empty()) list += ", ";
    list += type == GEN_DNS ? printable(name->d.dNSName) : address_of(name->d.iPAddress);
  }
  return list;
}

std::string name_fault(const X509* certificate, const std::string& host, bool address) {
  const std::string valid = names_in(certificate, address ? GEN_IPADD : GEN_DNS);
  if (!valid.empty()) return "x509: certificate is valid for " + valid + ", not " + host;
  if (address) {
    return "x509: cannot validate certificate for " + host + " because it doesn't contain any IP SANs";
  }
  const bool any_name = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0;
  if (any_name) return "x509: certificate is not valid for any names, but wanted to match " + host;
  return "x509: certificate relies on legacy Common Name field, use SANs instead";
}

// In the order in which Go looks.
std::pair<int, std::string> verdict(const Faults& faults, const X509* certificate, const std::string& host) {
  if (faults.time) return {*faults.time, faults.time_text};
  if (faults.name) {
    const bool address = *faults.name == X509_V_ERR_IP_ADDRESS_MISMATCH;
    return {*faults.name, name_fault(certificate, host, address)};
  }
  if (faults.authority) return {*faults.authority, "x509: certificate signed by unknown authority"};
  if (faults.other) {
    return {*faults.other, std::string("x509: ") + X509_verify_cert_error_string(*faults.other)};
  }
  return {X509_V_OK, ""};
}

}  // namespace

int TlsContext::verify(X509_STORE_CTX* chain, TlsPeer& peer) {
  Faults faults = check(chain);
  if (faults.authority) {
    load_bundle();
    faults = check_again(chain, SSL_CTX_get_cert_store(context_.get()));
  }
  const auto [error, trouble] = verdict(faults, X509_STORE_CTX_get0_cert(chain), peer.host);
  X509_STORE_CTX_set_error(chain, error);
  peer.verify_trouble = trouble;
  return error == X509_V_OK ? 1 : 0;
}

}  // namespace lade::registry
