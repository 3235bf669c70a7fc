// The Authorization of requests to one registry, for one set of credentials.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "registry/challenge.hpp"
#include "registry/http.hpp"
#include "registry/options.hpp"
#include "registry/token.hpp"

namespace lade::registry {

// Thread-safe.
class Authenticator {
 public:
  struct Settings {
    std::string registry;  // identifies the registry in the token cache
    Endpoint endpoint;
    std::string registry_token;  // sent as it is; everything else is then unused
    // Called at most once, when the registry first asks for credentials.
    std::function<Credentials()> find_credentials;
  };

  Authenticator(std::shared_ptr<HttpPool> pool, Settings settings);

  // The header's value to send without being asked, "" for none: the registry's challenge is known by now, or
  // a registry token was given. May ask a token server. `known`: the challenge other requests got;
  // `allow_http`: the realm may be plain HTTP.
  std::string header(const Context& context, const std::vector<Challenge>& known, bool allow_http,
                     const std::vector<std::string>& scopes);

  // What to try after a 401 with `challenges` in answer to `refused` ("": nothing was sent); nullopt when
  // there is nothing else to try.
  std::optional<std::string> answer(const Context& context, const std::vector<Challenge>& challenges,
                                    bool allow_http, const std::vector<std::string>& scopes,
                                    const std::string& refused);

 private:
  Credentials credentials();
  std::string bearer(const Context& context, const Challenge& challenge, bool allow_http,
                     const std::vector<std::string>& scopes, const std::string& refused);
  std::string first_usable(const Context& context, const std::vector<Challenge>& challenges, bool allow_http,
                           const std::vector<std::string>& scopes, const std::string& refused);

  std::shared_ptr<HttpPool> pool_;
  std::shared_ptr<TokenCache> tokens_;
  Settings settings_;
  Sync<std::optional<Credentials>> credentials_;
};

}  // namespace lade::registry
