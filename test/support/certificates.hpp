// Certificates made in the process, for servers of tests. EC P-256, valid for a day unless told otherwise.
#pragma once

#include <string>
#include <vector>

namespace lade::test {

struct Certificate {
  std::string cert_pem, key_pem;
};

struct CertificateOptions {
  std::string common_name = "lade test";
  // Subject alternative names: DNS names, IP addresses or e-mail addresses. Empty: no such extension.
  std::vector<std::string> names = {"127.0.0.1", "::1", "localhost"};
  bool expired = false;
  bool authority = false;  // may sign others
  std::string usage = "";  // extended key usage, "codeSigning"
  // What Fulcio writes into its certificates: value of 1.3.6.1.4.1.57264.1.8.
  std::string oidc_issuer = "";
};

// Signed by itself when `issuer` is nullptr.
Certificate make_certificate(const CertificateOptions& options = {}, const Certificate* issuer = nullptr);

}  // namespace lade::test
