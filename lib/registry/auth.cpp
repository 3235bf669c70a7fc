#include "registry/auth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/digester.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::string_view bearer_prefix = "Bearer ";

// Tells accounts apart in the cache without keeping their secrets in it.
std::string fingerprint(const Credentials& credentials) {
  if (credentials.empty()) return "anonymous";
  return io::digest_of(fmt::format("{}\n{}\n{}", percent_encode(credentials.username),
                                   percent_encode(credentials.password),
                                   percent_encode(credentials.identity_token)))
      .hex();
}

// The scopes, and the one that the challenge of a refused token asks for.
std::vector<std::string> widened(const std::vector<std::string>& scopes,
                                 const std::vector<Challenge>& challenges) {
  std::vector<std::string> result = scopes;
  for (const Challenge& challenge : challenges) {
    const std::string scope(challenge.parameter("scope"));
    if (challenge.scheme != "bearer" || scope.empty()) continue;
    if (std::find(result.begin(), result.end(), scope) == result.end()) result.push_back(scope);
  }
  return result;
}

}  // namespace

Authenticator::Authenticator(std::shared_ptr<HttpPool> pool, Settings settings)
    : pool_(std::move(pool)),
      tokens_(pool_->slot<TokenCache>("registry tokens")),
      settings_(std::move(settings)) {}

std::string Authenticator::header(const Context& context, const std::vector<Challenge>& known,
                                  bool allow_http, const std::vector<std::string>& scopes) {
  if (!settings_.registry_token.empty()) return std::string(bearer_prefix) + settings_.registry_token;
  return first_usable(context, known, allow_http, scopes, "");
}

std::optional<std::string> Authenticator::answer(const Context& context,
                                                 const std::vector<Challenge>& challenges, bool allow_http,
                                                 const std::vector<std::string>& scopes,
                                                 const std::string& refused) {
  if (!settings_.registry_token.empty()) return std::nullopt;
  const bool too_narrow = std::any_of(challenges.begin(), challenges.end(), [](const Challenge& challenge) {
    return challenge.parameter("error") == "insufficient_scope";
  });
  const auto wanted = too_narrow ? widened(scopes, challenges) : scopes;
  std::string next = first_usable(context, challenges, allow_http, wanted, too_narrow ? "" : refused);
  if (next.empty() || next == refused) return std::nullopt;
  return next;
}

std::string Authenticator::first_usable(const Context& context, const std::vector<Challenge>& challenges,
                                        bool allow_http, const std::vector<std::string>& scopes,
                                        const std::string& refused) {
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer" && !challenge.parameter("realm").empty()) {
      return bearer(context, challenge, allow_http, scopes, refused);
    }
    if (challenge.scheme == "basic") {
      const Credentials account = credentials();
      if (account.username.empty() && account.password.empty()) continue;
      return "Basic " + config::base64_encode(account.username + ":" + account.password);
    }
  }
  return "";
}

std::string Authenticator::bearer(const Context& context, const Challenge& challenge, bool allow_http,
                                  const std::vector<std::string>& scopes, const std::string& refused) {
  TokenQuery query{std::string(challenge.parameter("realm")), std::string(challenge.parameter("service")),
                   scopes, credentials()};
  std::string key = fmt::format("{}\n{}\n{}\n{}", settings_.registry, query.realm, query.service,
                                fingerprint(query.credentials));
  for (const std::string& scope : scopes) key += "\n" + scope;
  const std::string_view bad =
      refused.starts_with(bearer_prefix) ? std::string_view(refused).substr(bearer_prefix.size()) : "";
  return std::string(bearer_prefix) + tokens_->get(context, key, bad, [&] {
    return request_token(context, *pool_, settings_.endpoint, allow_http, query);
  });
}

// Asked for once, under the lock: a credential helper is a program that may talk to the user.
Credentials Authenticator::credentials() {
  auto known = credentials_.lock();
  if (!*known) *known = settings_.find_credentials();
  return **known;
}

}  // namespace lade::registry
