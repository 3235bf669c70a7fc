// Removing images by the rules of podman's and buildah's rmi.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "config/registries_conf.hpp"
#include "store/store.hpp"

namespace lade::engine {

struct RemoveOptions {
  bool force = false;         // also images that have several names, and containers that use them
  bool ignore = false;        // images that are not there are no errors
  bool keep_parents = false;  // --no-prune
};

struct RemoveReport {
  std::vector<std::string> untagged;  // names, in order
  std::vector<std::string> deleted;   // IDs of images nothing is built on
  std::vector<Error> errors;          // one for each argument that failed; in_use tells why
  bool in_use = false;                // at least one is used by a container
  bool all_unknown = false;           // nothing failed but looking up
};

// One name of several is only taken away; with the last the image goes, and those it was built on as far as
// they have no names and nothing else is built on them.
RemoveReport remove_images(const Context& context, const std::shared_ptr<store::Store>& store,
                           const config::RegistriesConf& registries, const std::vector<std::string>& names,
                           const RemoveOptions& options);

// Those images with all their names; used for --all and prune. Images that are built on others go first.
RemoveReport remove_whole_images(const Context& context, const std::shared_ptr<store::Store>& store,
                                 const config::RegistriesConf& registries, std::vector<std::string> ids,
                                 const RemoveOptions& options);

}  // namespace lade::engine
