// TLS for connections to registries: one context for each Endpoint, shared by all its connections.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/sync.hpp"
#include "registry/channel.hpp"
#include "registry/http.hpp"
#include "registry/wait.hpp"

namespace lade::config {
struct TlsDetails;
}

namespace lade::registry {

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;

// Where the system's authorities are, by OpenSSL's and Go's conventions.
struct SystemAuthorities {
  std::string file;  // SSL_CERT_FILE; "" for the usual bundle
  std::string
      dirs;  // SSL_CERT_DIR, colon-separated: every file in them is read; "" for the usual directories
};

// What is known while and after two sides shake hands; lives as long as the connection.
struct TlsPeer {
  std::string host;            // name or address that the certificate must be valid for
  std::string session_key;     // of the sessions kept for resumption
  std::string verify_trouble;  // why its certificate was refused, in Go's words; "" if it was not
};

// Thread-safe. Must outlive its channels: they hold it.
class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  // Kind::invalid_input for a client certificate or key that cannot be used, Kind::system and others for
  // files that cannot be read.
  // `details`: nullptr for none.
  TlsContext(const Endpoint& endpoint, const SystemAuthorities& system,
             const config::TlsDetails* details = nullptr);

  // Shakes hands over another channel. `port` tells sessions of one host apart.
  // Kind::denied "tls: failed to verify certificate: x509: ..."; Kind::unsupported for a peer that speaks no
  // TLS
  // ("http: server gave HTTP response to HTTPS client") or no common version; Kind::unavailable.
  std::unique_ptr<Channel> connect(std::unique_ptr<Channel> below, const std::string& host, int port,
                                   Deadline deadline, const std::stop_token& stop);

  SSL_CTX* get() const { return context_.get(); }
  void keep_session(const std::string& key, SslSessionPtr session);
  // 1 if the chain is good for the peer; else sets peer.verify_trouble.
  int verify(X509_STORE_CTX* chain, TlsPeer& peer);

 private:
  void trust_system(const SystemAuthorities& system);
  void trust_directory(const std::string& path);
  void use_client_certificate(const Endpoint& endpoint);
  void load_bundle();
  SslSessionPtr take_session(const std::string& key);

  SslContextPtr context_;
  // Reading the bundle takes 20 ms, a hashed directory nothing: where there is one, the bundle is read when
  // an authority was not found, since a person may have added it there.
  std::string bundle_;
  std::once_flag bundle_loaded_;
  Sync<std::map<std::string, std::vector<SslSessionPtr>>> sessions_;
};

// Go's words for the first error in OpenSSL's queue, which is emptied.
Attempt tls_trouble();

}  // namespace lade::registry
