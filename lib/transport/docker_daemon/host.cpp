#include "transport/docker_daemon/host.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "os/file.hpp"

namespace lade::transport::docker_daemon {

namespace {

constexpr std::string_view default_host = "unix:///var/run/docker.sock";
constexpr std::uint64_t max_pem_size = 16 << 20;

std::string pem_file(const std::string& directory, const char* name, std::string_view trouble) {
  const std::string path = (std::filesystem::path(directory) / name).string();
  try {
    os::read_file(path, max_pem_size);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", trouble, error.what()));
  }
  return path;
}

registry::Endpoint tls_endpoint(const Options::DockerDaemon& options) {
  registry::Endpoint endpoint;
  endpoint.tls_verify = options.tls_verify;
  const std::string& directory = options.cert_dir;
  if (directory.empty()) return endpoint;
  if (options.tls_verify) {
    const std::string ca = (std::filesystem::path(directory) / "ca.pem").string();
    endpoint.ca_file = pem_file(directory, "ca.pem", fmt::format("could not read CA certificate \"{}\"", ca));
  }
  endpoint.client_cert = pem_file(directory, "cert.pem", "Could not load X509 key pair");
  endpoint.client_key = pem_file(directory, "key.pem", "Could not load X509 key pair");
  return endpoint;
}

Host parse_known(const std::string& name, const Options::DockerDaemon& options) {
  const std::size_t end = name.find("://");
  if (end == std::string::npos) {
    throw Error(Kind::invalid_input, fmt::format("unable to parse docker host `{}`", name));
  }
  const std::string scheme = name.substr(0, end);
  const std::string address = name.substr(end + 3);
  Host host;
  host.name = name;
  if (scheme == "unix") {
    if (address.empty())
      throw Error(Kind::invalid_input, fmt::format("unable to parse docker host `{}`", name));
    host.endpoint.unix_socket = address;
    host.base = registry::Url::parse("http://docker/");
  } else if (scheme == "http") {
    host.base = registry::Url::parse(name);
  } else if (scheme == "tcp" || scheme == "https") {
    host.endpoint = tls_endpoint(options);
    host.base = registry::Url::parse("https://" + address);
  } else {
    throw Error(
        Kind::unsupported,
        fmt::format("docker host `{}`: only unix://, tcp://, http:// and https:// are supported", name));
  }
  std::string& path = host.base.target;
  path.resize(std::min(path.find('?'), path.size()));
  while (path.ends_with('/')) path.pop_back();
  return host;
}

}  // namespace

Host parse_host(const Options::DockerDaemon& options) {
  return in_context("initializing docker engine client", [&] {
    return parse_known(options.host.empty() ? std::string(default_host) : options.host, options);
  });
}

}  // namespace lade::transport::docker_daemon
