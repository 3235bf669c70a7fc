// Files that a command sees in place of the image's: /etc/hosts, /etc/resolv.conf, /etc/hostname,
// /run/.containerenv. Their texts. Internal to build/.
#pragma once

#include <string>
#include <vector>

#include "build/builder.hpp"
#include "config/containers_conf.hpp"

namespace lade::build {

struct HostsRequest {
  std::string base;                // the host's file
  std::vector<std::string> added;  // "host:ip"
  std::string hostname, container_name;
  std::string address;             // of the container; of this machine, if it shares its network
  std::string host_address = {};   // of this machine, as the container reaches it; "" for none
};
// Names that are there already do not get another address.
std::string hosts_text(const HostsRequest& request);

// Of this machine's, not the loopback: the first one of IPv4 that is not `other_than`; "" if there is none.
std::string local_address(const std::string& other_than);

// What of a container's name can be one of a host: "a_b:" -> "ab".
std::string hostname_of_container(const std::string& name);

struct ResolvRequest {
  std::string base;                                     // the host's file
  std::vector<std::string> servers, searches, options;  // in place of those of the host
  bool own_network = false;                             // the host's loopback is not reached
};
std::string resolv_text(const ResolvRequest& request);

std::string container_env_text(const Builder& builder, bool rootless);

}  // namespace lade::build
