#include <algorithm>

#include "registry/body.hpp"
#include "registry/connector.hpp"
#include "registry/exchange.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::string_view late_head =
    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
constexpr std::string_view late_body =
    "context deadline exceeded (Client.Timeout or context cancellation while reading body)";

class Response final : public HttpResponse {
 public:
  Response(ResponseHead head, Url url, std::unique_ptr<BodyReader> body, Framing framing)
      : head_(std::move(head)), url_(std::move(url)), body_(std::move(body)), framing_(framing) {}

  int status() const override { return head_.status; }
  std::string_view header(std::string_view name) const override { return head_.header(name); }
  std::vector<std::string_view> header_values(std::string_view name) const override {
    return head_.header_values(name);
  }
  std::optional<std::uint64_t> content_length() const override {
    if (framing_.kind == Framing::Kind::length) return framing_.length;
    if (framing_.kind == Framing::Kind::none) return parse_number(head_.header("Content-Length"));
    return std::nullopt;
  }
  const Url& url() const override { return url_; }
  io::Reader& body() override { return *body_; }

 private:
  ResponseHead head_;
  Url url_;
  std::unique_ptr<BodyReader> body_;
  Framing framing_;
};

// `Get "https://host/path"`, as Go's url.Error. A query of a redirect's target may be a signature: left out.
std::string operation(const HttpRequest& request, bool redirected) {
  std::string verb = lower_case(request.method);
  if (!verb.empty() && verb[0] >= 'a') verb[0] = static_cast<char>(verb[0] - 'a' + 'A');
  std::string url = request.url.str();
  if (redirected) url.erase(std::min(url.find('?'), url.size()));
  return verb + " " + quote(url);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

void drop_credentials(Headers& headers) {
  std::erase_if(headers, [](const auto& header) {
    return equals_ignoring_case(header.first, "Authorization") ||
           equals_ignoring_case(header.first, "Cookie");
  });
}

std::string pool_key(const Url& url, const Endpoint& endpoint, const std::optional<Proxy>& proxy) {
  const char separator = '\0';  // stands in no path, as a path in Endpoint cannot contain it
  std::string key = url.scheme + separator + url.host + separator + std::to_string(url.port) + separator +
                    endpoint.unix_socket + separator;
  if (url.scheme == "http") {
    if (proxy) key += proxy->host + separator + std::to_string(proxy->port);
    return key;
  }
  return key + (endpoint.tls_verify ? "1" : "0") + endpoint.ca_dir_certs + separator + endpoint.client_cert +
         separator + endpoint.client_key + separator + endpoint.ca_file;
}

class Pool final : public HttpPool {
 public:
  explicit Pool(const PoolOptions& options)
      : options_(options), connector_(options), idle_(std::make_shared<IdleConnections>()) {}

  std::unique_ptr<HttpResponse> send(const Context& context, const Endpoint& endpoint,
                                     HttpRequest request) override {
    Endpoint chosen = endpoint;
    for (int hops = 0;; ++hops) {
      std::unique_ptr<HttpResponse> response = in_context(
          [&] { return operation(request, hops > 0); }, [&] { return send_once(context, chosen, request); });
      const std::string_view location = response->header("Location");
      if (request.max_redirects == 0 || !is_redirect(response->status()) || location.empty()) return response;
      in_context([&] { return operation(request, hops > 0); },
                 [&] { follow(request, chosen, location, hops); });
    }
  }

  std::shared_ptr<void> slot(const std::string& key,
                             const std::function<std::shared_ptr<void>()>& make) override {
    auto slots = slots_.lock();
    std::shared_ptr<void>& value = (*slots)[key];
    if (!value) value = make();
    return value;
  }

 private:
  // Neither credentials nor the client certificate go to another origin.
  static void follow(HttpRequest& request, Endpoint& endpoint, std::string_view location, int hops) {
    if (hops == request.max_redirects) {
      throw Error(Kind::invalid_input,
                  "stopped after " + std::to_string(request.max_redirects) + " redirects");
    }
    const Url next = request.url.resolve(location);
    if (request.url.scheme == "https" && next.scheme == "http") {
      throw Error(Kind::denied, "refusing to follow a redirect from https to http://" + next.authority());
    }
    if (!next.same_origin(request.url)) {
      drop_credentials(request.headers);
      endpoint.client_cert.clear();
      endpoint.client_key.clear();
      endpoint.unix_socket.clear();
    }
    request.url = next;
  }

  Headers headers_of(const HttpRequest& request, const std::optional<Proxy>& proxy) const {
    Headers headers = request.headers;
    const auto add = [&](const char* name, const std::string& value) {
      if (!has_header(headers, name)) headers.emplace_back(name, value);
    };
    add("Host", request.url.authority());
    add("User-Agent", options_.user_agent);
    // Digests are of the bytes as they are stored.
    add("Accept-Encoding", "identity");
    if (proxy && request.url.scheme == "http" && !proxy->authorization.empty()) {
      add("Proxy-Authorization", proxy->authorization);
    }
    return headers;
  }

  std::unique_ptr<HttpResponse> send_once(const Context& context, const Endpoint& endpoint,
                                          const HttpRequest& request) {
    context.throw_if_stopped();
    const std::optional<Proxy> proxy =
        endpoint.unix_socket.empty() ? proxy_for(request.url, options_) : std::nullopt;
    const bool through_proxy = proxy && request.url.scheme == "http";
    const RequestBody body = body_of(request);
    const std::string head =
        format_request_head(request.method, through_proxy ? request.url.str() : request.url.target,
                            headers_of(request, proxy), body.framing);
    const std::string key = pool_key(request.url, endpoint, proxy);
    if (auto kept = idle_->take(key)) {
      if (auto response = try_kept(context, request, head, body, key, std::move(kept))) return response;
    }
    auto connection = connector_.connect(request.url, endpoint, proxy, context.stop);
    connection->serve(context.stop, late_head);
    const Answer answer = exchange(*connection, head, body);
    return respond(request, answer, key, std::move(connection));
  }

  // nullptr if the server had closed the connection before it saw the request, and it can be sent again.
  std::unique_ptr<HttpResponse> try_kept(const Context& context, const HttpRequest& request,
                                         const std::string& head, const RequestBody& body,
                                         const std::string& key, std::unique_ptr<Connection> connection) {
    connection->serve(context.stop, late_head);
    try {
      const Answer answer = exchange(*connection, head, body);
      return respond(request, answer, key, std::move(connection));
    } catch (const Error&) {
      if (!connection || body.reader != nullptr || !connection->died_silently()) throw;
    }
    context.log.debug("Connection to " + request.url.authority() + " was closed while idle, trying again");
    return nullptr;
  }

  std::unique_ptr<HttpResponse> respond(const HttpRequest& request, const Answer& answer,
                                        const std::string& key, std::unique_ptr<Connection> connection) {
    const Framing framing = body_framing(answer.head, request.method);
    const bool ambiguous =
        framing.kind == Framing::Kind::chunked && !answer.head.header("Content-Length").empty();
    BodyReader::GiveBack give_back;
    if (answer.request_sent && answer.head.keeps_alive() && !ambiguous) {
      give_back = [idle = idle_, key](std::unique_ptr<Connection> ended) {
        idle->put(key, std::move(ended));
      };
    }
    connection->expect(late_body);
    auto body = std::make_unique<BodyReader>(std::move(connection), framing, std::move(give_back));
    return std::make_unique<Response>(answer.head, request.url, std::move(body), framing);
  }

  PoolOptions options_;
  Connector connector_;
  std::shared_ptr<IdleConnections> idle_;
  Sync<std::map<std::string, std::shared_ptr<void>>> slots_;
};

}  // namespace

std::shared_ptr<HttpPool> make_http_pool(const PoolOptions& options) {
  return std::make_shared<Pool>(options);
}

}  // namespace lade::registry
