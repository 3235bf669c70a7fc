#include "transport/sif/source.hpp"

#include <fmt/format.h>

#include "archive/squashfs.hpp"
#include "io/digester.hpp"
#include "io/writers.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/sif/definition.hpp"
#include "transport/sif/sif_file.hpp"

namespace lade::transport::sif {
namespace {

constexpr std::uint64_t max_definition = 4 * 1024 * 1024;
constexpr std::string_view script_name = "podman/runscript";

// The root file system as a tar.
struct Layer {
  std::shared_ptr<const os::UniqueFd> file;
  std::uint64_t size = 0;
  spec::Digest digest;
};

void add_script(const std::string& script, std::int64_t time, archive::TarWriter& tar) {
  archive::TarHeader directory, file;
  directory.name = "podman/";
  directory.type = archive::TarType::directory;
  directory.mode = file.mode = 0755;
  directory.mtime.seconds = file.mtime.seconds = time;
  file.name = script_name;
  tar.add(directory);
  tar.add(file, script);
}

Layer make_layer(const Context& context, const SifFile& sif, const std::string& script,
                 const std::string& directory) {
  const DataObject& root = sif.root();
  if (root.file_system != squashfs) {
    throw Error(Kind::unsupported,
                "the root file system of this SIF file is no squashfs: it may be encrypted, or writable");
  }
  auto fd = os::open_unnamed(directory);
  auto kept = std::make_shared<const os::UniqueFd>(os::duplicate(fd.get()));
  os::FileWriter file(std::move(fd));
  io::DigestingWriter digesting(file);
  archive::TarWriter tar(digesting);
  std::set<std::string> except;
  if (!script.empty()) except.emplace(script_name);
  in_context("converting rootfs from SquashFS to Tarball", [&] {
    archive::squashfs_to_tar(context, sif.file(), root.offset, root.size, except, tar);
    if (!script.empty()) add_script(script, sif.modified(), tar);
    tar.finish();
  });
  const std::uint64_t size = digesting.count();
  return {std::move(kept), size, digesting.finish()};
}

std::string make_config(const SifFile& sif, const Layer& layer, const std::string& command) {
  const std::string created = spec::format_time(sif.modified());
  return spec::dump_json({{"created", created},
                          {"architecture", sif.architecture()},
                          {"os", "linux"},
                          {"config", {{"Cmd", {command}}}},
                          {"rootfs", {{"type", "layers"}, {"diff_ids", {layer.digest.str()}}}},
                          {"history",
                           {{{"created", created},
                             {"created_by", "/bin/sh -c #(nop) ADD file:" + layer.digest.hex() + " in /"},
                             {"comment", "imported from SIF, uuid: " + sif.id()}},
                            {{"created", created},
                             {"created_by", fmt::format("/bin/sh -c #(nop) CMD [\"{}\"]", command)},
                             {"empty_layer", true}}}}});
}

class Source final : public ImageSource {
 public:
  Source(Layer layer, std::string config)
      : layer_(std::move(layer)), config_(std::move(config)), config_digest_(io::digest_of(config_)) {}

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>& instance) override {
    if (instance) throw Error(Kind::unsupported, "manifest lists are not supported by the sif transport");
    const spec::Descriptor config{
        std::string(spec::media_type::oci_config), config_digest_, config_.size(), {}, {}, {}, "", ""};
    const spec::Descriptor layer{
        std::string(spec::media_type::oci_layer_tar), layer_.digest, layer_.size, {}, {}, {}, "", ""};
    const auto type = spec::media_type::oci_manifest;
    return make_raw_manifest(spec::Manifest::make(type, config, {layer}).serialize(), std::string(type));
  }

  Blob blob(const Context&, const spec::Descriptor& blob) override {
    if (blob.digest == config_digest_) return {io::make_text_reader(config_), config_.size()};
    if (blob.digest == layer_.digest)
      return {std::make_unique<os::RangeReader>(layer_.file, 0, layer_.size), layer_.size};
    throw Error(Kind::not_found, "no blob with digest \"" + blob.digest.str() + "\" found");
  }

  bool synthesizes_manifest() const override { return true; }

 private:
  Layer layer_;
  std::string config_;
  spec::Digest config_digest_;
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const Context& context, const std::string& path,
                                         const Options& options) {
  return in_context("loading SIF file", [&] {
    const SifFile sif = SifFile::open(path);
    Definition definition;
    if (const DataObject* object = sif.find(DataObject::Type::definition))
      definition = Definition::parse(sif.read(*object, max_definition));
    const std::string script = definition.says_nothing() ? "" : definition.script();
    Layer layer = make_layer(context, sif, script, options.big_files_dir);
    std::string config = make_config(sif, layer, script.empty() ? "bash" : "/" + std::string(script_name));
    return std::make_unique<Source>(std::move(layer), std::move(config));
  });
}

}  // namespace lade::transport::sif
