#include "engine/list_artifact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "config/base64.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/media_type.hpp"

namespace lade::engine {
namespace {

using spec::Json;

constexpr const char* unknown_artifact = "application/vnd.unknown.artifact.v1";
constexpr const char* empty_type = "application/vnd.oci.empty.v1+json";
constexpr const char* title_annotation = "org.opencontainers.image.title";
constexpr std::string_view empty_json = "{}";
constexpr std::size_t sniffed_bytes = 512;
constexpr std::uint64_t max_inline_config = 1 << 20;

struct KnownType {
  std::string_view key, type;
};
constexpr KnownType types_of_extensions[] = {
    {".avif", "image/avif"},       {".css", "text/css"},         {".gif", "image/gif"},
    {".gz", "application/gzip"},   {".htm", "text/html"},        {".html", "text/html"},
    {".jpeg", "image/jpeg"},       {".jpg", "image/jpeg"},       {".js", "text/javascript"},
    {".json", "application/json"}, {".mjs", "text/javascript"},  {".pdf", "application/pdf"},
    {".png", "image/png"},         {".svg", "image/svg+xml"},    {".tar", "application/x-tar"},
    {".txt", "text/plain"},        {".wasm", "application/wasm"}, {".webp", "image/webp"},
    {".xml", "text/xml"},          {".zip", "application/zip"}};
constexpr KnownType types_of_content[] = {{"%PDF-", "application/pdf"},
                                          {"\x89PNG\r\n\x1a\n", "image/png"},
                                          {"\xff\xd8\xff", "image/jpeg"},
                                          {"GIF8", "image/gif"},
                                          {"\x1f\x8b\x08", "application/x-gzip"},
                                          {"PK\x03\x04", "application/zip"}};

bool is_binary_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x08 || byte == 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}

std::string beginning_of(const std::string& path) {
  os::FileReader reader{std::filesystem::path(path)};
  std::string text(sniffed_bytes, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const std::size_t count =
        reader.read(io::Buffer(reinterpret_cast<std::byte*>(text.data()) + filled, text.size() - filled));
    if (count == 0) break;
    filled += count;
  }
  text.resize(filled);
  return text;
}

spec::Descriptor descriptor_of(const std::string& media_type, const std::string& path) {
  os::FileReader reader{std::filesystem::path(path)};
  io::DigestingReader digesting(reader);
  io::drain(digesting);
  const std::uint64_t size = digesting.count();
  return {media_type, digesting.finish(), size, {}, {}, {}, "", ""};
}

spec::Descriptor inline_descriptor(const std::string& media_type, std::string_view bytes) {
  return {media_type, io::digest_of(bytes), bytes.size(), {}, {}, {}, "", config::base64_encode(bytes)};
}

class ArtifactMaker {
 public:
  ArtifactMaker(StoredList& stored, const ArtifactRequest& request) : stored_(stored), request_(request) {}

  spec::Digest make() {
    for (const std::string& file : request_.files) add_layer(std::filesystem::absolute(file).string());
    if (layers_.empty()) add_inline(layers_.emplace_back(inline_descriptor(empty_type, empty_json)), empty_json);
    const auto config = make_config();
    const std::string manifest = serialize(config);
    const auto digest = io::digest_of(manifest);
    auto& artifacts = stored_.artifacts;
    artifacts.manifests[digest.str()] = manifest;
    artifacts.files[digest.str()] = files_;
    artifacts.configs[digest.str()] = config.digest.str();
    auto& layers = artifacts.layers[digest.str()];
    layers.clear();
    for (const auto& layer : layers_) layers.push_back(layer.digest.str());
    const auto type = std::string(spec::media_type::oci_manifest);
    stored_.list.add({{type, digest, manifest.size(), {}, {}, {}, artifact_type(), ""}, {}});
    return digest;
  }

 private:
  std::string artifact_type() const { return request_.type.value_or(unknown_artifact); }

  void add_inline(const spec::Descriptor& blob, std::string_view bytes) {
    stored_.artifacts.blobs[blob.digest.str()] = bytes;
  }

  void add_layer(const std::string& path) {
    in_context([&] { return fmt::format("reading \"{}\" to determine its digest", path); },
               [&] {
                 const std::string name = std::filesystem::path(path).filename().string();
                 const std::string type = request_.layer_type.empty()
                                              ? guess_media_type(name, beginning_of(path))
                                              : request_.layer_type;
                 auto layer = descriptor_of(type, path);
                 if (!request_.exclude_titles) layer.annotations[title_annotation] = name;
                 stored_.artifacts.detached[layer.digest.str()] = path;
                 files_.push_back(path);
                 layers_.push_back(std::move(layer));
               });
  }

  spec::Descriptor make_config() {
    if (request_.config_file.empty()) {
      const auto config =
          inline_descriptor(request_.config_type.empty() ? empty_type : request_.config_type, empty_json);
      add_inline(config, empty_json);
      return config;
    }
    const std::string type = request_.config_type.empty() ? std::string(spec::media_type::oci_config)
                                                          : request_.config_type;
    if (request_.config_inline) {
      const std::string bytes = os::read_file(request_.config_file, max_inline_config);
      const auto config = inline_descriptor(type, bytes);
      add_inline(config, bytes);
      return config;
    }
    const std::string path = std::filesystem::absolute(request_.config_file).string();
    const auto config = descriptor_of(type, path);
    stored_.artifacts.detached[config.digest.str()] = path;
    files_.push_back(path);
    return config;
  }

  std::string serialize(const spec::Descriptor& config) const {
    Json json = {{"schemaVersion", 2},
                 {"mediaType", spec::media_type::oci_manifest},
                 {"artifactType", artifact_type()},
                 {"config", spec::descriptor_json(config, spec::Flavor::oci)},
                 {"layers", Json::array()}};
    for (const auto& layer : layers_) json["layers"].push_back(spec::descriptor_json(layer, spec::Flavor::oci));
    if (request_.subject) json["subject"] = spec::instance_json(*request_.subject, spec::Flavor::oci);
    if (!request_.annotations.empty()) json["annotations"] = request_.annotations;
    return spec::dump_json(json);
  }

  StoredList& stored_;
  const ArtifactRequest& request_;
  std::vector<spec::Descriptor> layers_;
  std::vector<std::string> files_;
};

}  // namespace

spec::Digest add_artifact(StoredList& stored, const ArtifactRequest& request) {
  return ArtifactMaker(stored, request).make();
}

std::string guess_media_type(const std::string& file_name, std::string_view beginning) {
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string::npos) {
    const std::string_view extension = std::string_view(file_name).substr(dot);
    for (const auto& [key, type] : types_of_extensions)
      if (extension == key) return std::string(type);
  }
  for (const auto& [key, type] : types_of_content)
    if (beginning.starts_with(key)) return std::string(type);
  const bool binary = std::any_of(beginning.begin(), beginning.end(), is_binary_byte);
  return binary ? "application/octet-stream" : "text/plain";
}

}  // namespace lade::engine
