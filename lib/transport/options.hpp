// Settings for opening a reference; one struct per concern, each used by the transports that know it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/registries_d.hpp"
#include "config/storage_conf.hpp"
#include "io/codec/codec.hpp"
#include "registry/options.hpp"
#include "spec/reference.hpp"

namespace lade::transport {

struct Options {
  registry::Options registry;  // docker:
  // docker: where signatures are kept; nullptr: nowhere.
  std::shared_ptr<const config::RegistriesD> registries_d;

  // oci: blobs live in <shared_blob_dir>/<algorithm>/<hex> instead of <path>/blobs.
  std::string shared_blob_dir;
  // oci: as destination: take uncompressed layers as they are.
  bool accept_uncompressed_layers = false;
  // dir: as destination: --dest-compress, --dest-decompress.
  bool dir_compress = false;
  bool dir_decompress = false;
  // docker-archive: as destination: further RepoTags.
  std::vector<spec::Reference> additional_tags;

  // containers-storage: the store of references that name none; nullopt: the one that the configuration
  // names.
  std::optional<config::StoreOptions> store;

  // docker-daemon:
  struct DockerDaemon {
    std::string host;  // unix:///path, tcp://host:port (TLS), http://host:port; "": docker's own socket
    std::string
        cert_dir;  // of ca.pem, cert.pem and key.pem for TLS; "": the system's CAs, no client certificate
    bool tls_verify = true;
  } docker_daemon;

  // For data that must be on disk for a while.
  std::string big_files_dir = "/var/tmp";
};

}  // namespace lade::transport
