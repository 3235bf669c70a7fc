#include "engines/download.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "config/certs.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"
#include "registry/http.hpp"
#include "registry/pool_options.hpp"
#include "registry/text.hpp"

namespace lade::engines {
namespace {

constexpr int max_download_redirects = 10;

Kind kind_of_status(int status) {
  if (status == 404 || status == 410) return Kind::not_found;
  if (status == 401 || status == 403) return Kind::denied;
  return Kind::unavailable;
}

std::shared_ptr<registry::HttpPool> web_pool(const config::Environment& environment) {
  registry::PoolOptions options = registry::pool_options_of(environment);
  options.user_agent = "lade/" LADE_VERSION;
  return registry::make_http_pool(options);
}

registry::Endpoint endpoint_for(const common::Flags& flags, const config::Environment& environment) {
  registry::Endpoint endpoint;
  if (flags.has("tls-verify")) endpoint.tls_verify = flags.find_flag("tls-verify").value_or(true);
  if (!flags.has("cert-dir") || flags.text("cert-dir").empty()) return endpoint;
  const auto files = config::find_certs(environment, "", flags.text("cert-dir"));
  endpoint.ca_dir_certs = files.ca_dir;
  endpoint.client_cert = files.client_cert;
  endpoint.client_key = files.client_key;
  return endpoint;
}

}  // namespace

Download::Download(const common::Session& session, const Context& context, const common::Flags& flags,
                   const std::string& url) {
  const auto pool = web_pool(session.environment());
  registry::HttpRequest request;
  request.method = "GET";
  request.url = registry::Url::parse(url);
  request.max_redirects = max_download_redirects;
  const auto response = pool->send(context, endpoint_for(flags, session.environment()), std::move(request));
  if (response->status() != 200)
    throw Error(kind_of_status(response->status()),
                fmt::format("downloading {}: the server answered {}", url, response->status()));
  if (const auto time = registry::parse_http_date(response->header("Last-Modified")))
    last_modified_ = std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
  path_ = "/var/tmp/lade-download-XXXXXX";
  const int fd = mkostemp(path_.data(), O_CLOEXEC);
  if (fd < 0) throw Error::from_errno(errno, "creating a temporary file in /var/tmp");
  os::FileWriter writer{os::UniqueFd(fd)};
  try {
    io::copy(response->body(), writer);
  } catch (...) {
    unlink(path_.c_str());
    throw;
  }
}

Download::~Download() {
  unlink(path_.c_str());
}

bool is_web_address(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace lade::engines
