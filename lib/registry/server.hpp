// A registry of the OCI distribution-spec 1.1 on an OCI image layout folder.
//
// What is where: blobs and manifests are files in blobs/<algorithm>/<hex>, as in every layout. Which
// repository and tag a manifest has is said by its entry in index.json, in the annotation
// "org.opencontainers.image.ref.name":
//   "<repository>:<tag>"  that tag of that repository; `oci:DIR:<repository>:<tag>` names the same image
//   "<tag>"               a tag of the default repository, which is named after the folder (its last
//   component
//                         in lower case, other characters than a-z, 0-9, '.', '_' and '-' replaced by '-';
//                         "image" if nothing is left)
//   absent or neither     a manifest of the default repository, without a tag; if it is the only one of its
//                         kind and there is no "latest", it is "latest"
// A manifest without a tag that was pushed through the registry carries the annotation
// "io.lade.registry.repository" with the name of its repository.
// Manifests listed by an index of a repository belong to that repository, too. Blobs belong to all of them.
//
// Others may change the layout meanwhile: index.json is read again when it has changed, and replaced under a
// lock on the folder.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "base/context.hpp"

namespace lade::registry {

struct ServerOptions {
  std::string host = "127.0.0.1";               // "" for all addresses
  int port = 5000;                              // 0: chosen by the system
  std::filesystem::path layout{};               // made if it is not there, unless readonly
  bool readonly = false;                        // pushes and deletions are answered with 405
  std::filesystem::path htpasswd{};             // bcrypt entries; empty: everybody may do everything
  std::filesystem::path tls_cert{}, tls_key{};  // PEM; both or none
};

// Serves until stopped; the threads are its own. Thread-safe.
class Server {
 public:
  // Listens already when it returns. Throws Kind::system for an address that cannot be had, and what the
  // opening of the layout, the passwords, the certificate or the key gives. `log` must outlive the server.
  static std::unique_ptr<Server> start(const ServerOptions& options, Logger& log);
  virtual ~Server() = default;

  virtual int port() const = 0;
  // Until stop is requested; then stops the server.
  virtual void wait(std::stop_token stop) = 0;
  // Ends open connections, and returns when all threads are gone.
  virtual void stop() = 0;
};

}  // namespace lade::registry
