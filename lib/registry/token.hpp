// Bearer tokens: asking a realm for one, and keeping it for the next request
// (distribution's token and OAuth2 specifications, RFC 6750).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "registry/http.hpp"
#include "registry/options.hpp"

namespace lade::registry {

struct Token {
  std::string value;
  std::chrono::steady_clock::time_point expires;
};

// Where and for what a token is asked.
struct TokenQuery {
  std::string realm;
  std::string service;
  std::vector<std::string> scopes;  // "repository:library/busybox:pull"; may be empty (login)
  Credentials credentials;          // empty: anonymous
};

// GET with Basic, or POST of the identity token. Kind::denied
// ("unable to retrieve auth token: invalid username/password: ...") if the credentials are refused, or if the
// realm is plain HTTP and `allow_http` is false. A token lives at least 60 s.
Token request_token(const Context& context, HttpPool& pool, const Endpoint& endpoint, bool allow_http,
                    const TokenQuery& query);

// Thread-safe; one for a pool. Callers that need the same token at once share one request for it.
class TokenCache {
 public:
  // The cached token of `key`, or what fetch() returns. `refused`: a token that is known not to work any
  // more. When a fetch fails, its caller gets the error and the next waiting caller tries for itself.
  std::string get(const Context& context, const std::string& key, std::string_view refused,
                  const std::function<Token()>& fetch);

 private:
  struct Entry {
    bool fetching = false;
    unsigned users = 0;  // callers inside get()
    Token token;         // value "" if there is none
  };
  void drop_expired(std::chrono::steady_clock::time_point now);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Entry> entries_;
};

}  // namespace lade::registry
