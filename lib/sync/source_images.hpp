// What a sync reads: the images that its source names.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.hpp"
#include "spec/reference.hpp"
#include "sync/selection.hpp"
#include "sync/source_file.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::sync {

// A line of the log with the fields that logrus shows after it.
using Fields = std::vector<std::pair<std::string, std::string>>;
class Narrator {
 public:
  virtual ~Narrator() = default;
  virtual void tell(Level level, const std::string& message, const Fields& fields) = 0;  // thread-safe
};

struct SourceImage {
  std::shared_ptr<const transport::ImageReference> reference;
  // The name at the destination in full: "docker.io/library/busybox:1.36", "sub/busybox:1.36".
  std::string name;
};

// One repository, or all that is in a directory.
struct SourceRepository {
  std::vector<SourceImage> images;
  std::shared_ptr<const transport::Options> options;
};

struct Source {
  std::string transport;  // "docker", "dir", "oci", "yaml"
  std::string name;
  transport::Options options;
  TagSelection tags;
};

// Repositories of a YAML file that cannot be listed are told and left out, as skopeo does, and make
// `complete` false; everything else that goes wrong is thrown.
struct SourceImages {
  std::vector<SourceRepository> repositories;
  bool complete = true;
};
SourceImages find_source_images(const Context& context, const Source& source, Narrator& narrator);

}  // namespace lade::sync
