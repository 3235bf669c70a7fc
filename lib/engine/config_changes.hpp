// Instructions of --change: a few of a Containerfile's, applied to the configuration of a new image.
#pragma once

#include <string>
#include <vector>

#include "spec/json.hpp"

namespace lade::engine {

// The `config` member of an OCI image configuration, as Go writes it. Each change is "KEY VALUE" or
// "KEY=VALUE": CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR. Kind::invalid_input
// `invalid change "X" - ...`; Kind::unsupported for ONBUILD, which OCI images cannot hold.
spec::Json config_from_changes(const std::vector<std::string>& changes);

}  // namespace lade::engine
