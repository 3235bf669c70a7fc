// The conversation with one registry: scheme, authentication, repeated requests.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "registry/auth.hpp"
#include "registry/http.hpp"
#include "registry/options.hpp"

namespace lade::registry {

// A request, before it is known how the registry is reached.
struct Call {
  std::string method = "GET";
  std::string target = {};               // "/v2/..."
  std::optional<Url> url = {};           // instead of target: the Location of an upload
  std::vector<std::string> scopes = {};  // of the token
  Headers headers = {};
  // At most one of the two: bytes that can be sent again, or a stream that is read once.
  std::string_view data = {};
  io::Reader* body = nullptr;
  std::optional<std::uint64_t> body_size = {};
  int max_redirects = 0;
  // False: a failure is the caller's at once.
  bool repeat = true;
};

// Thread-safe.
class Session {
 public:
  struct Settings {
    std::string registry;  // "docker.io", "localhost:5000": as in a Reference
    Endpoint endpoint;
    bool allow_http = false;
    std::string registry_token;
    std::function<Credentials()> find_credentials;
    std::shared_ptr<HttpPool> pool;
  };

  explicit Session(Settings settings);

  // The response to `call`, whatever its status; a 401 only after authentication was tried. Temporary
  // failures (5xx, 429, broken connections to a registry that has answered before) are repeated with pauses.
  std::unique_ptr<HttpResponse> send(const Context& context, const Call& call);

  // Without credentials, to any host: external layers.
  std::unique_ptr<HttpResponse> send_anonymously(const Context& context, const HttpRequest& request);

  // Where the next request of an upload goes. A registry behind a proxy may name itself with http: that never
  // leads away from https. Kind::denied for plain HTTP on another host.
  Url location(const HttpResponse& response) const;

  // "docker.io", and the host it is reached at: "registry-1.docker.io".
  const std::string& registry() const { return settings_.registry; }
  const std::string& host() const { return host_; }
  // An answer had X-Registry-Supports-Signatures: 1.
  bool keeps_signatures() const { return state_->keeps_signatures; }
  HttpPool& pool() const { return *settings_.pool; }

 private:
  // What all sessions with the registry know about it.
  struct Host {
    enum class Scheme { unknown, https, http };
    std::atomic<Scheme> scheme{Scheme::unknown};
    std::atomic<bool> answered{false};
    std::atomic<bool> keeps_signatures{false};
    Sync<std::vector<Challenge>> challenges;
    Sync<std::set<std::string>> warnings;
  };

  std::unique_ptr<HttpResponse> send_authorized(const Context& context, const Call& call);
  std::unique_ptr<HttpResponse> send_by_known_scheme(const Context& context, const Call& call,
                                                     const std::string& authorization);
  std::unique_ptr<HttpResponse> send_once(const Context& context, const Call& call, const Url& base,
                                          const std::string& authorization);
  void log_warnings(const Context& context, const HttpResponse& response);
  const Url& base() const;

  Settings settings_;
  std::string host_;
  Url https_, http_;
  std::shared_ptr<Host> state_;
  Authenticator authenticator_;
};

}  // namespace lade::registry
