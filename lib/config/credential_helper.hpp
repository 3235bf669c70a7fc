// docker-credential-NAME programs (github.com/docker/docker-credential-helpers): credentials on stdin and
// stdout, never on a command line.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/context.hpp"
#include "config/credentials.hpp"
#include "config/environment.hpp"

namespace lade::config {

// Each call runs the program once, with the environment's variables and PATH.
// Errors: Kind::not_found if there is no such program, Kind::unavailable when it takes longer than the
// timeout, Kind::denied with its words when it fails.
class CredentialHelper {
 public:
  // Kind::invalid_input for a name that is empty or holds '/'.
  CredentialHelper(std::string name, const Environment& environment, std::chrono::milliseconds timeout);

  bool is_installed() const;

  // `server` is "host[:port]", or docker_server_url(). nullopt: it knows none.
  std::optional<Credentials> find(const Context& context, const std::string& server) const;
  void store(const Context& context, const std::string& server, const Credentials& credentials) const;
  // False if it knew none.
  bool erase(const Context& context, const std::string& server) const;
  // Server -> user name.
  std::map<std::string, std::string> list(const Context& context) const;

 private:
  // Its stdout; nullopt if it answered that there are no such credentials.
  std::optional<std::string> run(const Context& context, const std::string& action,
                                 const std::string& input) const;

  std::string program_;
  const Environment& environment_;
  std::chrono::milliseconds timeout_;
};

}  // namespace lade::config
