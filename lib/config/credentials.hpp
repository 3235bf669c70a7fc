// Who one is at a registry.
#pragma once

#include <string>

namespace lade::config {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // used instead of username and password when not empty
  bool empty() const { return username.empty() && password.empty() && identity_token.empty(); }
  bool operator==(const Credentials&) const = default;
};

}  // namespace lade::config
