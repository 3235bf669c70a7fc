// tarball:FILE[:FILE...] - an image made of tar files, one a layer, bottom first; "-" is standard input.
#pragma once

#include <string>

#include "spec/json.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

const Transport& tarball_transport();

// What the image's configuration says beside its layers; "" for this machine's values.
struct TarballConfig {
  std::string os, architecture, variant;
  spec::Json config = spec::Json::object();  // the member of that name
  std::string comment;                       // in the history
};
// An image of one layer, the tar file `path`.
std::unique_ptr<ImageReference> tarball_image(const std::string& path, TarballConfig config);

}  // namespace lade::transport
