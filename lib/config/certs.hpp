// Certificate directories: containers-certs.d(5).
#pragma once

#include <string>

#include "config/environment.hpp"

namespace lade::config {

// Paths for registry::Endpoint; "" where there is none.
struct CertFiles {
  std::string ca_dir;  // its *.crt are added to the system's CAs
  std::string client_cert;
  std::string client_key;
  bool operator==(const CertFiles&) const = default;
};

// The directory that find_certs looks into; "" if there is none.
std::string find_certs_directory(const Environment& environment, const std::string& host_port,
                                 const std::string& cert_dir);

// `host_port` is a Reference's domain. `cert_dir` is --cert-dir; "": the first that exists of
// ~/.config/containers/certs.d/HOST[:PORT], and the same in /etc/containers, /usr/share/containers,
// /etc/docker. A directory that is not there or may not be read holds no certificates. Of several client
// certificates the first by name is used. Kind::invalid_input: "missing key X.key for client certificate
// X.cert. Note that CA certificates should use the extension .crt", "missing client certificate X.cert for
// key X.key".
CertFiles find_certs(const Environment& environment, const std::string& host_port,
                     const std::string& cert_dir);

}  // namespace lade::config
