// Commands in working containers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hpp"
#include "build/volumes.hpp"
#include "config/containers_conf.hpp"
#include "config/environment.hpp"

namespace lade::build {

struct RunOptions {
  std::vector<std::string> command;
  std::vector<std::string> env;  // "NAME=value"
  std::string user, working_directory, hostname;
  Isolation isolation = Isolation::unset;
  std::vector<NamespaceOption> namespaces;  // in place of the container's of the same name
  bool no_network = false;                  // --network none
  std::vector<std::string> add_capabilities, drop_capabilities, devices;
  std::vector<VolumeMount> mounts;
  bool no_hostname = false, no_hosts = false, no_pivot = false;
  bool terminal = false;
  std::string runtime;                     // a program; "": this one's own
  std::vector<std::string> runtime_flags;  // its global options, with dashes
  std::string cgroup_manager;
  std::filesystem::path root;  // shows the container; "": where it is mounted
};

// The command's exit status; 128 + N if signal N ended it. What had to be made in the container for mounts is
// gone afterwards, and every mount of this. Standard streams are this process's.
int run_in_container(const Builders& builders, Builder& builder, const RunOptions& options,
                     const config::ContainersConf& conf, const config::Environment& environment);

}  // namespace lade::build
