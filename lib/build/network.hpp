// A network namespace for a command, connected as containers are: by netavark as root, by pasta otherwise.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "config/containers_conf.hpp"

namespace lade::build {

struct NetworkRequest {
  std::string container_id, container_name;
  std::vector<std::string> networks;  // names; empty: the default one
  bool rootless = false;
  std::filesystem::path directory;  // for its file, private to this run
  std::string search_path;          // PATH, for pasta
  std::string given = {};           // path of a namespace that is there; "": a new one
};

class ContainerNetwork {
 public:
  // Kind::unsupported if the program that makes networks is not installed.
  ContainerNetwork(const Context& context, const config::ContainersConf& conf, const NetworkRequest& request);
  ~ContainerNetwork();
  ContainerNetwork(const ContainerNetwork&) = delete;
  ContainerNetwork& operator=(const ContainerNetwork&) = delete;

  const std::filesystem::path& path() const { return path_; }  // of the namespace
  const std::string& address() const { return address_; }      // of the container; "" if it is not known

 private:
  void create_namespace(const std::string& given);
  void connect_by_netavark(const NetworkRequest& request);
  void connect_by_pasta(const NetworkRequest& request);
  void take_address();
  std::vector<std::string> netavark_command(const char* verb) const;

  Context context_;
  const config::ContainersConf& conf_;
  std::filesystem::path path_;
  std::string netavark_, settings_;  // what it was set up with; "" if it was not
  std::string address_;
  std::filesystem::path address_file_;
};

}  // namespace lade::build
