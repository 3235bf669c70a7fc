// New working containers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/base_image.hpp"
#include "build/builder.hpp"

namespace lade::build {

struct NewBuilder {
  std::optional<BaseImage> image;  // nullopt: from scratch
  std::string image_name;          // what the state calls the image; "" from scratch
  std::string name;                // "": after the image
  std::string suffix;              // "": "working-container"
  spec::PlatformChoice platform;
  // What differs from Builder::make(): members of the state, and of CommonBuildOpts.
  spec::Json state = spec::Json::object(), common = spec::Json::object();
  std::vector<NamespaceOption> namespaces;
  layer::IdMaps ids = {};  // of a user namespace of its own; both or none
};

// The container is in the store, its state saved. Kind::already_exists
// `creating container: the container name "X" is already in use by ...` for a given name; other names get a
// number behind them.
Builder create_builder(const Builders& builders, const NewBuilder& wanted);

// "docker.io/library/alpine:3" -> "alpine"; of IDs and digests the first 12 digits.
std::string image_name_prefix(std::string_view image);
// That of `names` which holds what was asked for, else the first; `asked` if there are none.
std::string name_of_image(const std::string& asked, const std::vector<std::string>& names);

}  // namespace lade::build
