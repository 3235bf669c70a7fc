// The transports that can be written, each in a place of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "registry/http.hpp"
#include "support/fake_daemon.hpp"
#include "support/image_builder.hpp"
#include "support/registry_server.hpp"
#include "support/temp_dir.hpp"
#include "transport/options.hpp"
#include "transport/transports.hpp"

namespace lade::test {

// Gone, with all that was written, at the end of a test.
class Place {
 public:
  // `rest` follows "<transport>:"; "DIR" stands for a fresh directory, "HOST" for a registry.
  Place(const std::string& transport, std::string rest) {
    if (const auto host = rest.find("HOST"); host != std::string::npos) {
      server_ = std::make_unique<RegistryServer>();
      rest.replace(host, 4, server_->authority());
      // The scheme is found out once a pool, by trying https first.
      registry::PoolOptions pool;
      pool.connect_timeout = std::chrono::milliseconds{500};
      options.registry.pool = registry::make_http_pool(pool);
    }
    for (auto dir = rest.find("DIR"); dir != std::string::npos; dir = rest.find("DIR"))
      rest.replace(dir, 3, directory_.str());
    options.registry.tls_verify = false;
    options.big_files_dir = spool_.str();
    if (transport == "docker-daemon") {
      daemon_ = std::make_unique<FakeDaemon>((directory_ / "loaded.tar").string());
      options.docker_daemon.host = daemon_->host();
    }
    reference = transport::parse_image_name(transport + ":" + rest);
    // The store itself, with its lock files, is older than any image in it.
    if (transport == "containers-storage") destination()->find_manifest_digest(background());
  }

  std::unique_ptr<transport::ImageSource> source() const {
    return reference->open_source(background(), options);
  }
  std::unique_ptr<transport::ImageDestination> destination() const {
    return reference->open_destination(background(), options);
  }

  // Every file by name, but those that a failed attempt may leave: blobs under their digests.
  std::map<std::string, std::string> files() const {
    auto files = directory_.snapshot();
    const auto is_left = [](const std::string& name) {
      return name.find("blobs") != std::string::npos || name.ends_with(".lock") ||
             name.ends_with("tempdirs") || name.ends_with("-layers/tmp");
    };
    std::erase_if(files, [&](const auto& file) { return is_left(file.first); });
    return files;
  }
  bool spool_is_empty() const { return spool_.snapshot().empty(); }

  transport::Options options;
  std::unique_ptr<transport::ImageReference> reference;

 private:
  Directory directory_;
  Directory spool_;
  std::unique_ptr<RegistryServer> server_;
  std::unique_ptr<FakeDaemon> daemon_;
};

struct Row {
  std::string transport;
  std::string rest;
  ImageOptions image;          // what it can hold
  bool keeps_manifest = true;  // byte for byte
  bool holds_lists = true;
  bool can_replace = true;  // a second image under the same name
  bool can_go_on = true;    // after a blob was refused

  Place place() const { return Place(transport, rest); }
};

inline const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {"dir", "DIR/image", {}, true, true, true},
      {"oci", "DIR:name", {}, true, true, true},
      {"oci-archive", "DIR/archive.tar:name", {}, true, true, true},
      {"docker-archive",
       "DIR/archive.tar:example.com/image:tag",
       {.manifest_type = spec::media_type::docker_manifest, .compression = io::Compression::none},
       false,
       false,
       false},
      {"docker-daemon",
       "example.com/image:tag",
       {.manifest_type = spec::media_type::docker_manifest, .compression = io::Compression::none},
       false,
       false,
       true,
       false},
      {"docker", "//HOST/group/image:tag", {}, true, true, true},
      {"containers-storage",
       "[vfs@DIR/root+DIR/run:ignore_chown_errors=true]example.com/image:tag",
       {.compression = io::Compression::none},
       true,
       false,
       true},
  };
  return table;
}

inline transport::PutBlob put_of(const TestBlob& blob, bool is_config = false) {
  transport::PutBlob put;
  put.digest = blob.descriptor.digest;
  put.size = blob.descriptor.size;
  put.media_type = blob.descriptor.media_type;
  put.is_config = is_config;
  return put;
}

inline transport::BlobInfo put(transport::ImageDestination& destination, const transport::PutBlob& blob,
                               std::string bytes) {
  const auto reader = io::make_text_reader(std::move(bytes));
  return destination.put_blob(background(), blob, *reader);
}

inline void put_blobs(transport::ImageDestination& destination, const TestImage& image) {
  for (const auto& layer : image.layers) put(destination, put_of(layer), layer.bytes);
  put(destination, put_of(image.config, true), image.config.bytes);
}

inline void write_image(transport::ImageDestination& destination, const TestImage& image) {
  put_blobs(destination, image);
  destination.put_manifest(background(), image.manifest, std::nullopt);
  destination.commit(background());
}

inline void write_list(transport::ImageDestination& destination, const TestList& list) {
  for (const auto& image : list.images) {
    put_blobs(destination, image);
    destination.put_manifest(background(), image.manifest, image.manifest.digest);
  }
  destination.put_manifest(background(), list.manifest, std::nullopt);
  destination.commit(background());
}

inline std::string read_blob(transport::ImageSource& source, const spec::Descriptor& descriptor) {
  const auto blob = source.blob(background(), descriptor);
  return io::read_all(*blob.reader, 1 << 30, "blob");
}

}  // namespace lade::test
