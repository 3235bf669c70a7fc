#include "registry/tls.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "os/file.hpp"
#include "registry/text.hpp"
#include "registry/tls_details.hpp"

namespace lade::registry {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_sessions_per_host = 8;
constexpr std::size_t max_session_hosts = 64;
constexpr std::size_t record_buffer =
    33 * 1024;  // two records: more costs OpenSSL copies, less costs calls of recv
constexpr std::uint64_t max_certificate_file = 16 * 1024 * 1024;

constexpr std::array bundles{"/etc/ssl/certs/ca-certificates.crt",
                             "/etc/pki/tls/certs/ca-bundle.crt",
                             "/etc/ssl/ca-bundle.pem",
                             "/etc/pki/tls/cacert.pem",
                             "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                             "/etc/ssl/cert.pem"};
constexpr std::array directories{"/etc/ssl/certs", "/etc/pki/tls/certs"};

// A directory made by c_rehash, where OpenSSL finds an authority by the hash of its name without reading
// more.
bool is_hashed(const char* directory) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == ".0") return true;
  }
  return false;
}

std::string first_bundle() {
  const auto found = std::find_if(bundles.begin(), bundles.end(), [](const char* path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
  });
  return found == bundles.end() ? "" : *found;
}

// Adds every certificate of a PEM text; what is not one is skipped, as Go does.
void trust_pem(X509_STORE* store, const std::string& pem) {
  const std::unique_ptr<BIO, OpensslFree<BIO_free_all>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
  }
  ERR_clear_error();
}

std::vector<fs::path> files_in(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error)) files.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error::from_errno(error.value(), "open " + directory);
  }
  std::sort(files.begin(), files.end());
  return files;
}

void trust_hashed(X509_STORE* store, const char* directory) {
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
  if (lookup != nullptr) X509_LOOKUP_add_dir(lookup, directory, X509_FILETYPE_PEM);
}

int keep_new_session(SSL* ssl, SSL_SESSION* session) {
  const auto* peer = static_cast<const TlsPeer*>(SSL_get_app_data(ssl));
  auto* context = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  context->keep_session(peer->session_key, SslSessionPtr(session));
  return 1;
}

int verify_chain(X509_STORE_CTX* chain, void* context) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return static_cast<TlsContext*>(context)->verify(chain, *static_cast<TlsPeer*>(SSL_get_app_data(ssl)));
}

}  // namespace

TlsContext::TlsContext(const Endpoint& endpoint, const SystemAuthorities& system,
                       const config::TlsDetails* details)
    : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr) throw Error(Kind::system, "tls: cannot make a context");
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (details != nullptr) apply_tls_details(context, *details);
  // Registries that close without close_notify are common; every length is checked above.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Several records in one recv.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, record_buffer);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_new_session);
  use_client_certificate(endpoint);
  if (!endpoint.tls_verify) return;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_chain, this);
  trust_system(system);
  if (!endpoint.ca_dir_certs.empty()) trust_directory(endpoint.ca_dir_certs);
  if (!endpoint.ca_file.empty()) {
    trust_pem(SSL_CTX_get_cert_store(context), os::read_file(endpoint.ca_file, max_certificate_file));
  }
}

void TlsContext::trust_system(const SystemAuthorities& system) {
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  // A certificate in the store is trusted whether or not it is the root of its chain.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  bool hashed = false;
  if (system.dirs.empty()) {
    for (const char* directory : directories) {
      if (!is_hashed(directory)) continue;
      trust_hashed(store, directory);
      hashed = true;
    }
  }
  for (std::string_view rest = system.dirs; !rest.empty();) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    for (const fs::path& file : files_in(std::string(rest.substr(0, colon)))) {
      trust_pem(store, os::read_file(file, max_certificate_file));
    }
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  bundle_ = system.file.empty() ? first_bundle() : system.file;
  if (!hashed || !system.file.empty()) load_bundle();
}

void TlsContext::load_bundle() {
  std::call_once(bundle_loaded_, [&] {
    const auto pem = bundle_.empty() ? std::nullopt : os::find_file(bundle_, max_certificate_file);
    if (pem) trust_pem(SSL_CTX_get_cert_store(context_.get()), *pem);
  });
}

void TlsContext::trust_directory(const std::string& path) {
  for (const fs::path& file : files_in(path)) {
    if (file.extension() != ".crt") continue;
    trust_pem(SSL_CTX_get_cert_store(context_.get()), os::read_file(file, max_certificate_file));
  }
}

void TlsContext::use_client_certificate(const Endpoint& endpoint) {
  if (endpoint.client_cert.empty()) return;
  const auto require = [](int result, const std::string& path) {
    if (result == 1) return;
    throw Error(Kind::invalid_input, "tls: client certificate " + path + ": " + tls_trouble().trouble);
  };
  SSL_CTX* context = context_.get();
  require(SSL_CTX_use_certificate_chain_file(context, endpoint.client_cert.c_str()), endpoint.client_cert);
  require(SSL_CTX_use_PrivateKey_file(context, endpoint.client_key.c_str(), SSL_FILETYPE_PEM),
          endpoint.client_key);
  require(SSL_CTX_check_private_key(context), endpoint.client_key);
}

void TlsContext::keep_session(const std::string& key, SslSessionPtr session) {
  auto sessions = sessions_.lock();
  if (sessions->size() >= max_session_hosts && !sessions->contains(key)) return;
  std::vector<SslSessionPtr>& kept = (*sessions)[key];
  kept.push_back(std::move(session));
  if (kept.size() > max_sessions_per_host) kept.erase(kept.begin());
}

// A ticket of TLS 1.3 is used once (RFC 8446 appendix C.4), an older session as often as it lasts.
SslSessionPtr TlsContext::take_session(const std::string& key) {
  auto sessions = sessions_.lock();
  const auto found = sessions->find(key);
  if (found == sessions->end() || found->second.empty()) return nullptr;
  SslSessionPtr session = std::move(found->second.back());
  found->second.pop_back();
  if (SSL_SESSION_get_protocol_version(session.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(session.get());
    found->second.emplace_back(session.get());
  }
  return session;
}

}  // namespace lade::registry
