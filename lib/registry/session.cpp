#include "registry/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "registry/errors.hpp"
#include "registry/retry.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_warnings = 32;
// Bodies up to this size are handed over as text, which the pool can send again by itself.
constexpr std::size_t small_body = 64 * 1024;

class ViewReader final : public io::Reader {
 public:
  explicit ViewReader(std::string_view text) : left_(io::as_bytes(text)) {}
  std::size_t read(io::Buffer buffer) override {
    const std::size_t count = std::min(buffer.size(), left_.size());
    std::copy_n(left_.begin(), count, buffer.begin());
    left_ = left_.subspan(count);
    return count;
  }

 private:
  io::Bytes left_;
};

std::string host_of(const std::string& registry) {
  return registry == "docker.io" ? "registry-1.docker.io" : registry;
}

std::string host_key(const std::string& host, const Endpoint& endpoint) {
  return fmt::format("registry {}\n{}\n{}\n{}", host, endpoint.tls_verify, endpoint.ca_dir_certs,
                     endpoint.client_cert);
}

// Nobody speaks TLS there; unlike a certificate or a protocol version that does not suit us.
bool is_not_https(const Error& error) {
  return error.kind() == Kind::unavailable ||
         error.message().find("server gave HTTP response to HTTPS client") != std::string::npos;
}

bool is_too_narrow(const std::vector<Challenge>& challenges) {
  return std::any_of(challenges.begin(), challenges.end(), [](const Challenge& challenge) {
    return challenge.parameter("error") == "insufficient_scope";
  });
}

// Stops when `outer` does, or when told to.
struct LinkedStop {
  explicit LinkedStop(const std::stop_token& outer) : forward(outer, [this] { source.request_stop(); }) {}
  std::stop_source source;
  std::stop_callback<std::function<void()>> forward;
};

// Keeps what its body's reading depends on.
class HeldResponse final : public HttpResponse {
 public:
  HeldResponse(std::shared_ptr<LinkedStop> held, std::unique_ptr<HttpResponse> inner)
      : held_(std::move(held)), inner_(std::move(inner)) {}
  int status() const override { return inner_->status(); }
  std::string_view header(std::string_view name) const override { return inner_->header(name); }
  std::vector<std::string_view> header_values(std::string_view name) const override {
    return inner_->header_values(name);
  }
  std::optional<std::uint64_t> content_length() const override { return inner_->content_length(); }
  const Url& url() const override { return inner_->url(); }
  io::Reader& body() override { return inner_->body(); }

 private:
  std::shared_ptr<LinkedStop> held_;
  std::unique_ptr<HttpResponse> inner_;
};

// A request beside the one that tries https, so that finding a registry without TLS costs no further round
// trips. Stopped by its destruction: https's answer makes it superfluous.
class PlainAttempt {
 public:
  using Send = std::function<std::unique_ptr<HttpResponse>(const Context&)>;

  PlainAttempt(const Context& context, Send send)
      : stop_(std::make_shared<LinkedStop>(context.stop)),
        response_(std::async(std::launch::async, [inner = context.with_stop(stop_->source.get_token()),
                                                  send = std::move(send)] { return send(inner); })) {}
  ~PlainAttempt() {
    if (response_.valid()) stop_->source.request_stop();
  }
  std::unique_ptr<HttpResponse> response() { return std::make_unique<HeldResponse>(stop_, response_.get()); }

 private:
  std::shared_ptr<LinkedStop> stop_;
  std::future<std::unique_ptr<HttpResponse>> response_;  // its destruction waits for the request's end
};

}  // namespace

Session::Session(Settings settings)
    : settings_(std::move(settings)),
      host_(host_of(settings_.registry)),
      https_(Url::parse("https://" + host_ + "/")),
      http_(Url::parse("http://" + host_ + "/")),
      state_(settings_.pool->slot<Host>(host_key(host_, settings_.endpoint))),
      authenticator_(settings_.pool,
                     {host_, settings_.endpoint, settings_.registry_token, settings_.find_credentials}) {}

std::unique_ptr<HttpResponse> Session::send(const Context& context, const Call& call) {
  // A registry that never answered is more likely misspelt than busy.
  const auto repeatable = [&] { return call.repeat && call.body == nullptr && state_->answered; };
  return send_with_retries(context, repeatable, [&] { return send_authorized(context, call); });
}

std::unique_ptr<HttpResponse> Session::send_anonymously(const Context& context, const HttpRequest& request) {
  bool answered = false;
  return send_with_retries(
      context, [&] { return answered; },
      [&] {
        auto response = settings_.pool->send(context, settings_.endpoint, request);
        answered = true;
        return response;
      });
}

std::unique_ptr<HttpResponse> Session::send_authorized(const Context& context, const Call& call) {
  const auto known = *state_->challenges.lock();
  std::string authorization = authenticator_.header(context, known, settings_.allow_http, call.scopes);
  for (int answers = 0;; ++answers) {
    auto response = send_by_known_scheme(context, call, authorization);
    // Only the registry itself is told who we are, never the target of a redirect.
    if (response->status() != 401 || call.body != nullptr || !response->url().same_origin(base()))
      return response;
    const auto challenges = parse_challenges(response->header_values("WWW-Authenticate"));
    if (answers == 2 || (answers == 1 && !is_too_narrow(challenges))) return response;
    if (!challenges.empty()) *state_->challenges.lock() = challenges;
    const auto next =
        authenticator_.answer(context, challenges, settings_.allow_http, call.scopes, authorization);
    if (!next) return response;
    discard(*response);
    authorization = *next;
  }
}

std::unique_ptr<HttpResponse> Session::send_by_known_scheme(const Context& context, const Call& call,
                                                            const std::string& authorization) {
  const auto scheme = state_->scheme.load();
  if (!settings_.allow_http || scheme != Host::Scheme::unknown || call.body != nullptr) {
    return send_once(context, call, base(), authorization);
  }
  // Twice at once: only what changes nothing and says nothing of who asks.
  std::optional<PlainAttempt> plain;
  if ((call.method == "GET" || call.method == "HEAD") && authorization.empty()) {
    plain.emplace(context, [&](const Context& beside) { return send_once(beside, call, http_, ""); });
  }
  try {
    auto response = send_once(context, call, https_, authorization);
    state_->scheme = Host::Scheme::https;
    return response;
  } catch (const Error& error) {
    if (!is_not_https(error)) throw;
    context.log.debug(fmt::format("{} does not speak https: {}", host_, error.what()));
  }
  auto response = plain ? plain->response() : send_once(context, call, http_, authorization);
  state_->scheme = Host::Scheme::http;
  return response;
}

std::unique_ptr<HttpResponse> Session::send_once(const Context& context, const Call& call, const Url& base,
                                                 const std::string& authorization) {
  HttpRequest request{.method = call.method,
                      .url = base,
                      .headers = call.headers,
                      .text = {},
                      .body = call.body,
                      .body_size = call.body_size,
                      .max_redirects = call.max_redirects};
  request.url.target = call.target;
  if (call.url) request.url = *call.url;
  ViewReader view(call.data);
  if (call.data.size() <= small_body) {
    request.text = call.data;
  } else {
    request.body = &view;
    request.body_size = call.data.size();
  }
  if (!authorization.empty() && request.url.same_origin(base)) {
    request.headers.emplace_back("Authorization", authorization);
  }
  const auto send = [&] { return settings_.pool->send(context, settings_.endpoint, std::move(request)); };
  auto response = state_->answered ? send() : in_context("pinging container registry " + host_, send);
  state_->answered = true;
  if (response->url().same_origin(base) && response->header("X-Registry-Supports-Signatures") == "1")
    state_->keeps_signatures = true;
  log_warnings(context, *response);
  return response;
}

Url Session::location(const HttpResponse& response) const {
  const std::string_view header = response.header("Location");
  if (header.empty()) {
    throw Error(Kind::invalid_input, fmt::format("the registry {} named no place to upload to", host_));
  }
  Url url = response.url().resolve(header);
  if (url.scheme == "https" || base().scheme == "http") return url;
  if (!equals_ignoring_case(url.host, base().host)) {
    throw Error(Kind::denied, fmt::format("the registry {} wants the upload sent without TLS to {}", host_,
                                          url.authority()));
  }
  url.scheme = base().scheme;
  url.port = base().port;
  return url;
}

void Session::log_warnings(const Context& context, const HttpResponse& response) {
  for (const std::string_view value : response.header_values("Warning")) {
    const auto begin = value.find('"');
    const auto end = value.rfind('"');
    if (!value.starts_with("299 ") || begin == end) continue;
    const std::string text(value.substr(begin + 1, end - begin - 1));
    auto seen = state_->warnings.lock();
    if (seen->size() < max_warnings && seen->insert(text).second) {
      context.log.warning("Warning from registry: " + quote(text));
    }
  }
}

const Url& Session::base() const {
  return state_->scheme == Host::Scheme::http ? http_ : https_;
}

}  // namespace lade::registry
