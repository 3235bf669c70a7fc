// docker-archive:PATH[:REFERENCE | :@INDEX] - what `docker save` writes and `docker load` reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

const Transport& docker_archive_transport();

// All tags in the archive that `reference` (of this transport) is in, as they stand there; "@<index>" for an
// image without tags.
std::vector<std::string> docker_archive_tags(const Context& context, const ImageReference& reference,
                                             const Options& options);

// An archive of several images, written one after the other.
class DockerArchiveFile {
 public:
  // Kind::already_exists if there is something in the file.
  DockerArchiveFile(const std::string& path, const Options& options);
  ~DockerArchiveFile();

  // Where one image is to be copied to; it MUST NOT outlive the file.
  std::unique_ptr<ImageReference> image(std::vector<spec::Reference> tags);
  // The archive appears. Without it there is none.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::transport
