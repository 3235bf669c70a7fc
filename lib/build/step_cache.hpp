// Steps of scripts that are not done again while nothing they depend on has changed: a step is known by a
// key, and what it changed in the container is kept as a layer's tar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/context.hpp"
#include "build/run.hpp"
#include "io/stream.hpp"
#include "spec/digest.hpp"
#include "spec/json.hpp"

namespace lade::build {

// <graph root>/lade-steps: <key>.json with the digest and size of <digest>.tar.zst.
class StepCache {
 public:
  explicit StepCache(const store::Store& store);

  // Hands the changes of the step to `apply`, all of them checked before; false if it is not known. An entry
  // that is damaged is taken away and not known.
  bool restore(const Context& context, const spec::Digest& key,
               const std::function<void(io::Reader& changes)>& apply) const;
  // Passes on to `apply` what it reads, and keeps it for the key.
  void keep(const spec::Digest& key, io::Reader& changes,
            const std::function<void(io::Reader& changes)>& apply) const;
  // Forgets all; how many steps there were.
  std::size_t clear() const;

 private:
  std::filesystem::path directory_;
};

// As run_in_container(), but a command that was run before with the same base, changes of the container (but
// for times), configuration and inputs is not: its changes are put into the container. Kept is what a command
// changed that ended with 0. Needs overlay. Kind::invalid_input for mounts that the command could write to,
// since what it writes there would be missing.
int run_cached(const Builders& builders, Builder& builder, const RunOptions& options,
               const config::ContainersConf& conf, const config::Environment& environment);

}  // namespace lade::build
