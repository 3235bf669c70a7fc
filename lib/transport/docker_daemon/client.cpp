#include "transport/docker_daemon/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/environment.hpp"
#include "io/readers.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"
#include "transport/docker_daemon/messages.hpp"

namespace lade::transport::docker_daemon {

namespace {

using registry::HttpRequest;
using registry::HttpResponse;

struct ApiVersion {
  std::uint64_t major = 1;
  std::uint64_t minor = 24;  // of daemons that do not say
  auto operator<=>(const ApiVersion&) const = default;
};

constexpr ApiVersion newest_version{1, 51};
constexpr std::chrono::seconds ping_timeout{60};
// A daemon is silent while it packs or unpacks layers.
constexpr std::chrono::minutes work_timeout{60};
constexpr std::size_t max_reason = 1 << 20;
constexpr std::size_t max_listing = 64 << 20;
constexpr std::size_t max_inspection = 4 << 20;

registry::PoolOptions pool_options(std::chrono::milliseconds read_timeout, const Options& options) {
  registry::PoolOptions result;
  if (options.registry.environment) {  // a daemon is reached without proxies
    result.ssl_cert_file = options.registry.environment->get("SSL_CERT_FILE");
    result.ssl_cert_dir = options.registry.environment->get("SSL_CERT_DIR");
  }
  result.read_timeout = read_timeout;
  result.user_agent = options.registry.user_agent;
  result.tls_details = options.registry.tls_details;
  return result;
}

ApiVersion parse_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto major = registry::parse_number(text.substr(0, dot));
  const auto minor =
      dot == std::string_view::npos ? std::nullopt : registry::parse_number(text.substr(dot + 1));
  if (!major || !minor || *major > 1000 || *minor > 1000) {
    throw Error(Kind::invalid_input,
                fmt::format("the daemon's API version {} is malformed", registry::quote(text.substr(0, 40))));
  }
  return {*major, *minor};
}

std::string as_text(const ApiVersion& version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

[[noreturn]] void refuse_answer(HttpResponse& response, const HttpRequest& request) {
  std::string reason = reason_in(io::read_all(response.body(), max_reason, "the daemon's answer"));
  if (reason.empty()) {
    reason = fmt::format("request returned {} for API route {}", response.status(), request.url.target);
  }
  const Kind kind = response.status() == 404 ? Kind::not_found : Kind::system;
  throw Error(kind, "Error response from daemon: " + reason);
}

// The body together with what it comes from.
class Body final : public io::Reader {
 public:
  explicit Body(std::unique_ptr<HttpResponse> response) : response_(std::move(response)) {}
  std::size_t read(io::Buffer buffer) override { return response_->body().read(buffer); }

 private:
  std::unique_ptr<HttpResponse> response_;
};

spec::Digest image_id(const spec::Json& image) {
  if (!image.is_object()) throw Error(Kind::invalid_input, "listing images: an image is not an object");
  const std::string id = spec::string_member(image, "Id", "listing images");
  return spec::Digest::parse(id.find(':') == std::string::npos ? "sha256:" + id : id);
}

}  // namespace

Client::Client(const Context& context, Host host, const Options& options)
    : host_(std::move(host)), pool_(registry::make_http_pool(pool_options(work_timeout, options))) {
  HttpRequest ping;
  ping.method = "GET";
  ping.url = host_.base;
  ping.url.target += "/_ping";
  const auto pool = registry::make_http_pool(pool_options(ping_timeout, options));
  const auto response = send(context, *pool, std::move(ping));
  const std::string_view version = response->header("Api-Version");
  const ApiVersion found = version.empty() ? ApiVersion{} : parse_version(version);
  version_ = as_text(std::min(found, newest_version));
  context.log.debug(fmt::format("Docker daemon at {} speaks version {} of the API, using {}", host_.name,
                                as_text(found), version_));
}

HttpRequest Client::request(const std::string& method, const std::string& path) const {
  HttpRequest request;
  request.method = method;
  request.url = host_.base;
  request.url.target += "/v" + version_ + path;
  return request;
}

std::unique_ptr<HttpResponse> Client::send(const Context& context, registry::HttpPool& pool,
                                           HttpRequest request) const {
  try {
    return pool.send(context, host_.endpoint, std::move(request));
  } catch (const Error& error) {
    const std::string& reason = error.message();
    if (!reason.starts_with("dial ") || reason.find("no such host") != std::string::npos) throw;
    if (error.kind() == Kind::denied) {
      throw Error(
          Kind::denied,
          fmt::format("permission denied while trying to connect to the Docker daemon socket at {}: {}",
                      host_.name, reason));
    }
    // Not to be tried again: nothing starts a daemon.
    throw Error(
        Kind::system,
        fmt::format("Cannot connect to the Docker daemon at {}. Is the docker daemon running?", host_.name));
  }
}

std::unique_ptr<HttpResponse> Client::ask(const Context& context, HttpRequest request) const {
  auto response = send(context, *pool_, request);
  if (response->status() != 200) refuse_answer(*response, request);
  return response;
}

std::unique_ptr<io::Reader> Client::save(const Context& context, const std::string& name) const {
  return std::make_unique<Body>(
      ask(context, request("GET", registry::with_parameter("/images/get", "names", name))));
}

void Client::load(const Context& context, io::Reader& archive) const {
  HttpRequest sent = request("POST", "/images/load?quiet=1");
  sent.headers.emplace_back("Content-Type", "application/x-tar");
  sent.body = &archive;
  const auto response = ask(context, std::move(sent));
  MessageStream messages(response->body());
  while (const auto message = messages.next()) {
    if (const auto trouble = error_in(*message)) {
      throw Error(Kind::system, "docker engine reported: " + registry::quote(in_one_line(*trouble)));
    }
  }
}

std::vector<DaemonImage> Client::images(const Context& context) const {
  const auto response = ask(context, request("GET", "/images/json"));
  const std::string text = io::read_all(response->body(), max_listing, "the list of images");
  const spec::Json list = spec::parse_json(text, "listing images", max_listing);
  if (!list.is_array()) throw Error(Kind::invalid_input, "listing images: not a list");
  std::vector<DaemonImage> images;
  for (const auto& image : list) {
    DaemonImage found{image_id(image), {}};
    found.tags =
        spec::strings_member(image, "RepoTags", "listing images").value_or(std::vector<std::string>());
    std::erase_if(found.tags, [](const std::string& tag) { return tag.find("<none>") != std::string::npos; });
    images.push_back(std::move(found));
  }
  return images;
}

std::optional<spec::Digest> Client::find_image(const Context& context, const std::string& name) const {
  const HttpRequest sent = request("GET", "/images/" + name + "/json");
  const auto response = send(context, *pool_, sent);
  if (response->status() == 404) return std::nullopt;
  if (response->status() != 200) refuse_answer(*response, sent);
  const std::string text = io::read_all(response->body(), max_inspection, "the description of the image");
  return image_id(spec::parse_json(text, "inspecting an image"));
}

}  // namespace lade::transport::docker_daemon
