// Writes archives of one or several images, byte for byte as containers/image does. Internal to
// docker_archive/ and docker_daemon/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "spec/reference.hpp"
#include "transport/archive_output.hpp"
#include "transport/docker_archive/archive.hpp"

namespace lade::transport::docker_archive {

class Writer {
 public:
  // Kind::already_exists "docker-archive doesn't support modifying existing images".
  Writer(const std::string& path, const std::string& spool_dir);
  // Into a stream that outlives this.
  Writer(io::Writer& stream, const std::string& spool_dir);

  std::optional<std::uint64_t> find_blob(const spec::Digest& digest) const;
  // "<hex>.tar", or "<hex>.json" of a config.
  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data);
  // An image of layers and a config that are there already.
  void add_image(const std::vector<spec::Descriptor>& layers, const spec::Digest& config,
                 const std::string& config_bytes, const std::vector<spec::Reference>& tags);
  // Writes the tables; the archive appears.
  void finish();

 private:
  void add_file(const std::string& name, std::string_view text);
  // Directories of docker before 1.10, one a layer. The id of the top one; "" if there are no layers.
  std::string add_legacy_layers(const std::vector<spec::Descriptor>& layers, const std::string& config_bytes);
  void add_legacy_layer(const std::string& id, const spec::Digest& layer, const std::string& json);

  ArchiveOutput output_;
  std::map<spec::Digest, std::uint64_t> blobs_;
  std::vector<Item> items_;
  std::set<std::string> legacy_layers_;
  std::map<std::string, std::map<std::string, std::string>> repositories_;  // name, tag, legacy id
};

// For one image of several.
std::unique_ptr<ImageDestination> open_destination(std::shared_ptr<Writer> writer,
                                                   std::vector<spec::Reference> tags);

}  // namespace lade::transport::docker_archive
