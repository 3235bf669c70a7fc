// The few calls of docker's Engine API that move images (https://docs.docker.com/reference/api/engine).
// Internal to docker_daemon/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "registry/http.hpp"
#include "transport/docker_daemon/docker_daemon.hpp"
#include "transport/docker_daemon/host.hpp"

namespace lade::transport::docker_daemon {

// Thread-safe.
class Client {
 public:
  // Asks the daemon which version of the API it speaks. Kind::system "Cannot connect to the Docker daemon at
  // ...", Kind::denied "permission denied while trying to connect ...".
  Client(const Context& context, Host host, const Options& options);

  // The archive that holds one image. Kind::not_found and others "Error response from daemon: ...".
  std::unique_ptr<io::Reader> save(const Context& context, const std::string& name) const;
  // Sends an archive and waits until the daemon has taken it. "docker engine reported: ...".
  void load(const Context& context, io::Reader& archive) const;

  std::vector<DaemonImage> images(const Context& context) const;
  // By name or ID.
  std::optional<spec::Digest> find_image(const Context& context, const std::string& name) const;

 private:
  registry::HttpRequest request(const std::string& method, const std::string& path) const;
  std::unique_ptr<registry::HttpResponse> send(const Context& context, registry::HttpPool& pool,
                                               registry::HttpRequest request) const;
  // Kind::not_found and others unless the answer is 200.
  std::unique_ptr<registry::HttpResponse> ask(const Context& context, registry::HttpRequest request) const;

  Host host_;
  std::shared_ptr<registry::HttpPool> pool_;
  std::string version_;  // "1.41"
};

}  // namespace lade::transport::docker_daemon
