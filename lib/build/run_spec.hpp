// The runtime specification's config.json of a command in a working container. Internal to build/.
#pragma once

#include <string>
#include <vector>

#include "build/run.hpp"
#include "build/users.hpp"

namespace lade::build {

struct SpecMount {
  std::string destination, type, source;
  std::vector<std::string> options;
};

// What was found out before: in the container, on this host.
struct SpecInput {
  std::string root;  // path of the mounted container
  ContainerUser user;
  std::vector<std::uint32_t> groups;
  std::string working_directory, hostname;
  std::vector<std::string> env;
  std::vector<SpecMount> mounts;  // besides the file systems that every container has
  std::vector<NamespaceOption> namespaces;
  std::string network_namespace;  // path; "" for none of its own
  std::string user_namespace = {};  // path; "" for that of this process
  bool rootless = false;
};

// Kind::invalid_input for limits, devices and profiles that mean nothing.
spec::Json runtime_spec(const Builder& builder, const RunOptions& options, const SpecInput& input,
                        const config::ContainersConf& conf);

// A filter of system calls as containers' seccomp.json describes it ("" the built-in one), for a process with
// these capabilities.
spec::Json seccomp_filter(const std::string& profile, const std::vector<std::string>& capabilities);

}  // namespace lade::build
