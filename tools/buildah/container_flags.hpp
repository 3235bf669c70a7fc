// Options that say how commands in a working container are run: `from` keeps them in the container's state.
#pragma once

#include <string>
#include <vector>

#include "build/from.hpp"
#include "buildah/working.hpp"

namespace lade::buildah {

// --add-host, --cap-add, ..., --volume
std::vector<common::Option> container_options();
// --cgroupns --ipc --network --pid --uts
std::vector<common::Option> namespace_options();
// --userns and its like.
std::vector<common::Option> id_map_options();

// What these options say, put into `wanted`. Kind::invalid_input with buildah's words.
void take_container_flags(WorkSession& session, build::NewBuilder& wanted);

// --userns and ID maps, after take_container_flags.
void take_id_maps(WorkSession& session, build::NewBuilder& wanted);

// buildah's NetworkConfigurationPolicy.
enum class NetworkPolicy { unset = 0, disabled = 1, enabled = 2 };
struct NamespaceFlags {
  std::vector<build::NamespaceOption> options;  // those that were given
  NetworkPolicy network = NetworkPolicy::unset;
};
NamespaceFlags namespace_flags(const common::Flags& flags);

// `base` with each of `more` in place of the one with its name.
std::vector<build::NamespaceOption> merge_namespaces(std::vector<build::NamespaceOption> base,
                                                     const std::vector<build::NamespaceOption>& more);
// As containers.conf has them.
std::vector<build::NamespaceOption> default_namespaces(const config::ContainersConf& conf);

// "1g", "512k", "100": bytes. `what` is for messages: "invalid value for memory: invalid size: 'x'".
std::int64_t parse_memory(const std::string& text, const std::string& what);

}  // namespace lade::buildah
