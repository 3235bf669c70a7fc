// Settings of a connection to a registry, already resolved from flags, environment and files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/credentials.hpp"

namespace lade::config {
struct Environment;
struct TlsDetails;
class RegistriesConf;
}  // namespace lade::config

namespace lade::registry {

using Credentials = config::Credentials;

class HttpPool;  // registry/http.hpp

struct Options {
  // From the command line; nullopt: look them up with find_credentials.
  std::optional<Credentials> credentials;
  bool no_credentials = false;
  std::string registry_token;  // sent as Bearer as it is

  // (host[:port], "ns/repo") -> credentials; set by the front end from auth files and helpers
  // (config/auth.hpp). Empty function: anonymous.
  std::function<std::optional<Credentials>(const std::string& registry, const std::string& path)>
      find_credentials;

  // --tls-verify; nullopt: registries.conf decides (default true). False also allows plain HTTP.
  std::optional<bool> tls_verify;
  std::string cert_dir;  // --cert-dir; "": look in certs.d (config/certs.hpp)
  // Where certs.d is looked for; nullptr: only cert_dir is used.
  std::shared_ptr<const config::Environment> environment;
  std::string user_agent = "lade";

  // nullptr: no registries.conf. Decides blocked, insecure, location and mirrors.
  std::shared_ptr<const config::RegistriesConf> registries;

  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds read_timeout{120'000};  // for each read that makes no progress

  unsigned parallel_ranges = 4;             // --parallel-ranges: connections a slow large blob is fetched over
  std::optional<std::uint64_t> chunk_size;  // --dest-chunk-size; nullopt: one streaming PATCH

  // --tls-details, for pools that are made; nullptr: none.
  std::shared_ptr<const config::TlsDetails> tls_details;
  // Connections, TLS contexts and tokens shared by all clients of the program; nullptr: a new one.
  std::shared_ptr<HttpPool> pool;
};

}  // namespace lade::registry
