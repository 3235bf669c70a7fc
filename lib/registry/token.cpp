#include "registry/token.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/scope_exit.hpp"
#include "config/base64.hpp"
#include "registry/errors.hpp"
#include "registry/retry.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"

namespace lade::registry {

using std::chrono::seconds;

namespace {

constexpr std::uint64_t max_token_response = 1024 * 1024;
constexpr seconds shortest_life{60};
constexpr seconds longest_life{24 * 3600};
// A token is not used in its last moments: the request has to arrive while it is good.
constexpr seconds margin{5};
constexpr std::size_t many_tokens = 256;

HttpRequest get_request(Url url, const TokenQuery& query) {
  if (!query.credentials.username.empty()) {
    url.target = with_parameter(url.target, "account", query.credentials.username);
  }
  if (!query.service.empty()) url.target = with_parameter(url.target, "service", query.service);
  for (const std::string& scope : query.scopes) url.target = with_parameter(url.target, "scope", scope);
  HttpRequest request;
  request.method = "GET";
  request.url = std::move(url);
  if (!query.credentials.username.empty() || !query.credentials.password.empty()) {
    request.headers.emplace_back(
        "Authorization",
        "Basic " + config::base64_encode(query.credentials.username + ":" + query.credentials.password));
  }
  return request;
}

HttpRequest post_request(Url url, const TokenQuery& query) {
  std::string form, scopes;
  for (const std::string& scope : query.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  append_parameter(form, "grant_type", "refresh_token");
  append_parameter(form, "refresh_token", query.credentials.identity_token);
  append_parameter(form, "client_id", "lade");
  if (!query.service.empty()) append_parameter(form, "service", query.service);
  if (!scopes.empty()) append_parameter(form, "scope", scopes);
  HttpRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.text = std::move(form);
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  return request;
}

std::string text_member(const spec::Json& document, const char* name) {
  const auto member = document.find(name);
  return member != document.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// How much of its life the token has used up, by the server's own clock: servers hand out cached tokens.
seconds age(const spec::Json& document, std::string_view date_header) {
  const auto issued = parse_rfc3339(text_member(document, "issued_at"));
  const auto now = parse_http_date(date_header);
  if (!issued || !now) return seconds(0);
  return std::max(seconds(0), std::chrono::duration_cast<seconds>(*now - *issued));
}

Token parse_token(const Context& context, HttpResponse& response) {
  const spec::Json document =
      spec::parse_json(io::read_all(response.body(), max_token_response, "token response"), "token response",
                       max_token_response);
  if (!document.is_object()) throw Error(Kind::invalid_input, "token response: not an object");
  Token token{text_member(document, "token"), {}};
  if (token.value.empty()) token.value = text_member(document, "access_token");
  if (token.value.empty()) throw Error(Kind::invalid_input, "token response: there is no token in it");
  seconds life = shortest_life;
  const auto expires_in = document.find("expires_in");
  if (expires_in != document.end() && expires_in->is_number()) {
    life = seconds(static_cast<std::int64_t>(
        std::clamp(expires_in->get<double>(), 0.0, static_cast<double>(longest_life.count()))));
  }
  life = std::max(life, shortest_life) - age(document, response.header("Date")) - margin;
  token.expires = context.clock.steady() + life;
  return token;
}

}  // namespace

Token request_token(const Context& context, HttpPool& pool, const Endpoint& endpoint, bool allow_http,
                    const TokenQuery& query) {
  Url realm = Url::parse(query.realm);
  if (realm.scheme != "https" && !allow_http) {
    throw Error(Kind::denied,
                fmt::format("the registry names {} for tokens, which is not https", realm.str()));
  }
  const HttpRequest request = query.credentials.identity_token.empty()
                                  ? get_request(std::move(realm), query)
                                  : post_request(std::move(realm), query);
  const auto response = send_with_retries(
      context, [] { return true; }, [&] { return pool.send(context, endpoint, request); });
  if (response->status() != 200) throw status_error(*response, "Requesting bearer token");
  return parse_token(context, *response);
}

std::string TokenCache::get(const Context& context, const std::string& key, std::string_view refused,
                            const std::function<Token()>& fetch) {
  std::unique_lock lock(mutex_);
  if (entries_.size() >= many_tokens) drop_expired(context.clock.steady());
  Entry& entry = entries_[key];
  ++entry.users;
  const ScopeExit leave([&] { --entry.users; });
  for (;;) {
    const bool good = entry.token.expires > context.clock.steady() && entry.token.value != refused;
    if (good && !entry.token.value.empty()) return entry.token.value;
    if (!entry.fetching) break;
    changed_.wait(lock, context.stop, [&] { return !entry.fetching; });
    context.throw_if_stopped();
  }
  {
    entry.fetching = true;
    lock.unlock();
    const ScopeExit relock([&] {
      lock.lock();
      entry.fetching = false;
      changed_.notify_all();
    });
    Token token = fetch();
    const std::lock_guard store(mutex_);
    entry.token = std::move(token);
  }
  return entry.token.value;
}

void TokenCache::drop_expired(std::chrono::steady_clock::time_point now) {
  std::erase_if(entries_,
                [&](const auto& item) { return item.second.users == 0 && item.second.token.expires <= now; });
}

}  // namespace lade::registry
