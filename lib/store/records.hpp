// Records of layers, images and containers, as layers.json, images.json and containers.json hold them.
// Members that lade does not know survive an edit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/codec/codec.hpp"
#include "layer/id_maps.hpp"
#include "spec/digest.hpp"
#include "spec/json.hpp"

namespace lade::store {

struct LayerRecord {
  std::string id;
  std::vector<std::string> names;
  std::string parent;  // "" for a base layer
  std::string metadata;
  std::string mount_label;
  std::string created;  // RFC 3339 as it stands
  // The blob as it came in, and its compression (0 none, 1 bzip2, 2 gzip, 3 xz, 4 zstd).
  std::optional<spec::Digest> compressed_digest;
  std::int64_t compressed_size = 0;
  std::int64_t compression = 0;
  // Uncompressed; without diff_digest the layer is a container's, or known by its toc_digest only.
  std::optional<spec::Digest> diff_digest;
  std::optional<spec::Digest> toc_digest;
  std::int64_t diff_size = 0;  // -1: unknown
  std::vector<std::uint32_t> uids, gids;
  spec::Json flags = spec::Json::object();
  layer::IdMaps ids;  // with which the files on disk are shifted
  std::vector<std::string> big_data_names;

  spec::Json document = spec::Json::object();  // as it was read

  bool is_incomplete() const;
  void set_incomplete(bool incomplete);

  static LayerRecord parse(spec::Json document, std::string_view what);
  spec::Json to_json() const;
};

// Of images and containers: item names in the order in which they were set, with sizes and digests.
struct BigData {
  std::vector<std::string> names;
  std::map<std::string, std::int64_t> sizes;
  std::map<std::string, std::string> digests;
  bool operator==(const BigData&) const = default;

  bool has(std::string_view name) const;
  void set(const std::string& name, std::int64_t size, const spec::Digest& digest);
};

struct ImageRecord {
  std::string id;
  std::string digest;  // of the manifest that was set first; may be ""
  std::vector<std::string> names;
  std::vector<std::string> names_history;  // newest first
  std::string layer;                       // the top one; "" for none
  std::vector<std::string> mapped_layers;  // copies of the top layer for other user namespaces
  std::string metadata;
  BigData big_data;
  std::string created;
  spec::Json flags = spec::Json::object();

  spec::Json document = spec::Json::object();

  // Of all its manifests.
  std::vector<spec::Digest> digests() const;

  static ImageRecord parse(spec::Json document, std::string_view what);
  spec::Json to_json() const;
};

struct ContainerRecord {
  std::string id;
  std::vector<std::string> names;
  std::string image;  // "" for none
  std::string layer;
  std::string metadata;
  BigData big_data;
  std::string created;
  layer::IdMaps ids;
  spec::Json flags = spec::Json::object();

  spec::Json document = spec::Json::object();

  bool is_volatile() const;

  static ContainerRecord parse(spec::Json document, std::string_view what);
  spec::Json to_json() const;
};

// nullopt for a number nobody has given a meaning yet.
std::optional<io::Compression> compression_of(const LayerRecord& layer);
std::int64_t compression_number(io::Compression compression);

}  // namespace lade::store
