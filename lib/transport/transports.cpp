#include "transport/transports.hpp"

#include <algorithm>
#include <array>

#include "spec/image_name.hpp"
#include "transport/containers_storage/containers_storage.hpp"
#include "transport/dir/dir.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/docker_daemon/docker_daemon.hpp"
#include "transport/oci/oci.hpp"
#include "transport/oci_archive/oci_archive.hpp"
#include "transport/sif/sif.hpp"
#include "transport/tarball/tarball.hpp"

namespace lade::transport {

std::span<const Transport* const> transports() {
  static const std::array table = {&containers_storage_transport(),
                                   &dir_transport(),
                                   &docker_transport(),
                                   &docker_archive_transport(),
                                   &docker_daemon_transport(),
                                   &oci_transport(),
                                   &oci_archive_transport(),
                                   &sif_transport(),
                                   &tarball_transport()};
  return table;
}

std::unique_ptr<ImageReference> parse_image_name(std::string_view text) {
  const auto name = spec::ImageName::parse(text);
  const auto table = transports();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Transport* transport) {
    return transport->name() == name.transport;
  });
  if (found == table.end()) {
    throw Error(Kind::invalid_input, "Invalid image name \"" + std::string(text) +
                                         "\", unknown transport \"" + name.transport + "\"");
  }
  return (*found)->parse(name.rest);
}

}  // namespace lade::transport
