// A registry on loopback for tests, and images to put into it.
#pragma once

#include <httplib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/context.hpp"
#include "io/digester.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "registry/server.hpp"

namespace lade::test {

// In a folder "store" that is gone afterwards.
class RegistryServer {
 public:
  explicit RegistryServer(registry::ServerOptions options = {})
      : dir_(std::filesystem::temp_directory_path(), "lade-") {
    options.layout = layout();
    options.port = 0;
    server_ = registry::Server::start(options, null_logger());
  }

  std::filesystem::path layout() const { return dir_.path() / "store"; }
  int port() const { return server_->port(); }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port()); }
  registry::Server& operator*() { return *server_; }

  std::unique_ptr<httplib::Client> client() const {
    auto client = std::make_unique<httplib::Client>("127.0.0.1", port());
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
    client->set_decompress(false);
    return client;
  }

  // Returns the digest.
  std::string push_blob(const std::string& repository, const std::string& text) const {
    const std::string digest = io::digest_of(text).str();
    client()->Post("/v2/" + repository + "/blobs/uploads/?digest=" + digest, text,
                   "application/octet-stream");
    return digest;
  }

  // An image with a config and one layer of this text, under a tag. Returns the digest of its manifest.
  std::string push_image(const std::string& repository, const std::string& tag,
                         const std::string& layer) const {
    const std::string config =
        R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
    push_blob(repository, config);
    push_blob(repository, layer);
    const std::string manifest = image_manifest(config, layer);
    client()->Put("/v2/" + repository + "/manifests/" + tag, manifest,
                  "application/vnd.oci.image.manifest.v1+json");
    return io::digest_of(manifest).str();
  }

  static std::string descriptor(const std::string& media_type, const std::string& text) {
    return R"({"mediaType":")" + media_type + R"(","digest":")" + io::digest_of(text).str() + R"(","size":)" +
           std::to_string(text.size()) + "}";
  }

  // `members` are added to the manifest: R"(,"subject":{...})".
  static std::string image_manifest(const std::string& config, const std::string& layer,
                                    const std::string& members = "") {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
           descriptor("application/vnd.oci.image.config.v1+json", config) + R"(,"layers":[)" +
           descriptor("application/vnd.oci.image.layer.v1.tar", layer) + "]" + members + "}";
  }

 private:
  os::TempDir dir_;
  std::unique_ptr<registry::Server> server_;
};

}  // namespace lade::test
