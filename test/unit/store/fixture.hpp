// A store of its own for a test.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/digester.hpp"
#include "spec/json.hpp"
#include "store/store.hpp"
#include "support/image_builder.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"

namespace lade::test {

using Files = std::vector<std::pair<std::string, std::string>>;

struct Place {
  explicit Place(std::string driver = "overlay") {
    options.driver = std::move(driver);
    options.graph_root = directory / "root";
    options.run_root = directory / "run";
    options.driver_options = {"ignore_chown_errors=true"};
    if (options.driver == "overlay") {
      options.driver_options.push_back("overlay.skip_mount_home=true");
      // Whether the machine that runs the tests can mount is no matter here.
      os::mkdir_all(options.graph_root / "overlay");
      os::write_file(options.graph_root / "overlay/.has-mount-program", "false");
    }
  }

  std::shared_ptr<store::Store> open(store::Store::Access access = store::Store::Access::read_write) const {
    return store::Store::open(background(), options, access);
  }
  std::string records(const std::string& kind) const {
    return directory.read("root/" + options.driver + "-" + kind + "/" + kind + ".json");
  }

  Directory directory;
  config::StoreOptions options;
};

inline store::ImageLayer layer_of(store::Store& store, const Files& files) {
  const auto reader = io::make_text_reader(make_tar(files));
  auto pending = store.unpack(background(), *reader);
  const auto diff_id = pending->diff_id;
  return {diff_id, std::move(pending), std::nullopt};
}

inline std::string hex_of(const std::string& text) {
  return io::digest_of(text).hex();
}

// An image named example.com/<name>:latest, with a config and a manifest that name it.
inline store::NewImage image_of(const std::string& name, std::vector<store::ImageLayer> layers) {
  store::NewImage image;
  image.id = hex_of("config of " + name);
  image.names = {"example.com/" + name + ":latest"};
  image.layers = std::move(layers);
  image.big_data = {{"sha256:" + image.id, "config of " + name, std::nullopt},
                    {"manifest", "manifest of " + name, std::nullopt}};
  image.manifest = io::digest_of("manifest of " + name);
  return image;
}

// The same with documents that agree with the layers.
inline store::NewImage real_image_of(const std::string& name, std::vector<store::ImageLayer> layers) {
  spec::Json diff_ids = spec::Json::array();
  spec::Json descriptors = spec::Json::array();
  for (const auto& layer : layers) {
    diff_ids.push_back(layer.diff_id.str());
    descriptors.push_back({{"mediaType", "application/vnd.oci.image.layer.v1.tar"},
                           {"digest", layer.diff_id.str()},
                           {"size", layer.pending->size}});
  }
  const std::string config = spec::dump_json({{"architecture", "amd64"},
                                              {"os", "linux"},
                                              {"author", name},
                                              {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}});
  const std::string manifest = spec::dump_json({{"schemaVersion", 2},
                                                {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                                                {"config",
                                                 {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                                                  {"digest", io::digest_of(config).str()},
                                                  {"size", config.size()}}},
                                                {"layers", descriptors}});
  store::NewImage image = image_of(name, std::move(layers));
  image.id = io::digest_of(config).hex();
  image.big_data = {{io::digest_of(config).str(), config, std::nullopt},
                    {"manifest", manifest, std::nullopt}};
  image.manifest = io::digest_of(manifest);
  return image;
}

inline store::ImageRecord put(store::Store& store, const std::string& name,
                              const std::vector<Files>& layers) {
  std::vector<store::ImageLayer> unpacked;
  for (const auto& files : layers) unpacked.push_back(layer_of(store, files));
  return store.put_image(background(), image_of(name, std::move(unpacked)));
}

inline std::string diff_of(const store::Store& store, const std::string& layer) {
  return read_text(*store.open_diff(background(), layer));
}

}  // namespace lade::test
