// A pool with short names for requests, and files with certificates.
#pragma once

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "base/context.hpp"
#include "os/temp_dir.hpp"
#include "registry/http.hpp"
#include "support/scripted_server.hpp"
#include "support/streams.hpp"

namespace lade::test {

struct HttpFixture {
  registry::PoolOptions options{.connect_timeout = std::chrono::seconds(20),
                                .read_timeout = std::chrono::seconds(20),
                                .user_agent = "lade-test",
                                .http_proxy = {},
                                .https_proxy = {},
                                .no_proxy = {},
                                .ssl_cert_file = {},
                                .ssl_cert_dir = {},
                                .tls_details = {}};
  registry::Endpoint endpoint;
  std::shared_ptr<registry::HttpPool> made_pool;

  registry::HttpPool& pool() {
    if (!made_pool) made_pool = registry::make_http_pool(options);
    return *made_pool;
  }

  static registry::HttpRequest request(std::string method, const std::string& url) {
    registry::HttpRequest request;
    request.method = std::move(method);
    request.url = registry::Url::parse(url);
    return request;
  }

  std::unique_ptr<registry::HttpResponse> send(registry::HttpRequest request,
                                               const Context& context = background()) {
    return pool().send(context, endpoint, std::move(request));
  }
  std::unique_ptr<registry::HttpResponse> get(const std::string& url, int max_redirects = 0) {
    registry::HttpRequest made = request("GET", url);
    made.max_redirects = max_redirects;
    return send(std::move(made));
  }
  std::string text(const std::string& url) { return read_text(get(url)->body()); }
  std::unique_ptr<registry::HttpResponse> put(const std::string& url, io::Reader& body,
                                              std::optional<std::uint64_t> size) {
    registry::HttpRequest made = request("PUT", url);
    made.body = &body;
    made.body_size = size;
    return send(std::move(made));
  }

  // what() of the Error that fn throws; "" if it throws none.
  template <class Fn>
  static std::string error_of(Fn&& fn) {
    try {
      fn();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
};

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// Certificate files below a directory that goes with the object.
class CertificateFiles {
 public:
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = directory_.path() / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string path() const { return directory_.path().string(); }

 private:
  os::TempDir directory_{std::filesystem::temp_directory_path(), "lade-http-"};
};

}  // namespace lade::test
