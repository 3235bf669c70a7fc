// A store with an image, and working containers of it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "build/from.hpp"
#include "io/digester.hpp"
#include "os/file.hpp"
#include "store/store.hpp"
#include "support/image_builder.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"

namespace lade::test {

struct Workshop {
  Workshop() {
    options.driver = "vfs";
    options.graph_root = directory / "root";
    options.run_root = directory / "run";
    options.driver_options = {"ignore_chown_errors=true"};
    store = store::Store::open(background(), options);
    builders.emplace(background(), store);
  }

  // example.com/<name>:latest, of one layer. Its ID.
  std::string put_image(const std::string& name,
                        const std::vector<std::pair<std::string, std::string>>& files) {
    const auto reader = io::make_text_reader(make_tar(files));
    auto pending = store->unpack(background(), *reader);
    const std::string diff_id = pending->diff_id.str();
    const std::string config =
        R"({"created":"2020-01-01T00:00:00Z","architecture":"amd64","os":"linux",)"
        R"("config":{"Env":["A=1"],"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":[")" +
        diff_id + R"("]},"history":[{"created":"2020-01-01T00:00:00Z","created_by":"base"}]})";
    const auto digest = io::digest_of(config);
    const std::string manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
        R"("application/vnd.oci.image.config.v1+json","digest":")" +
        digest.str() + R"(","size":)" + std::to_string(config.size()) +
        R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + diff_id +
        R"(","size":)" + std::to_string(pending->size) + "}]}";
    store::NewImage image;
    image.id = digest.hex();
    image.names = {"example.com/" + name + ":latest"};
    image.layers = {{pending->diff_id, pending, std::nullopt}};
    image.big_data = {{digest.str(), config, digest}, {"manifest", manifest, io::digest_of(manifest)}};
    image.manifest = io::digest_of(manifest);
    return store->put_image(background(), image).id;
  }

  build::Builder from(const std::string& image_id) {
    build::NewBuilder wanted;
    wanted.image = build::read_base_image(background(), *store, image_id);
    wanted.image_name = wanted.image->name;
    return build::create_builder(*builders, wanted);
  }
  build::Builder from_scratch() { return build::create_builder(*builders, {}); }

  // The container's files; of vfs they are always there.
  std::filesystem::path files_of(const build::Builder& builder) {
    const auto container = store->find_container(background(), builder.id());
    return options.graph_root / "vfs/dir" / container->layer;
  }

  Directory directory;
  config::StoreOptions options;
  std::shared_ptr<store::Store> store;
  std::optional<build::Builders> builders;
};

}  // namespace lade::test
