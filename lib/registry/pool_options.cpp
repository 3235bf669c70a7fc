#include "registry/pool_options.hpp"

#include "config/environment.hpp"

namespace lade::registry {

PoolOptions pool_options_of(const config::Environment& environment) {
  const config::Proxies proxies = config::proxies_of(environment);
  PoolOptions options;
  options.http_proxy = proxies.http_proxy;
  options.https_proxy = proxies.https_proxy;
  options.no_proxy = proxies.no_proxy;
  options.ssl_cert_file = environment.get("SSL_CERT_FILE");
  options.ssl_cert_dir = environment.get("SSL_CERT_DIR");
  return options;
}

}  // namespace lade::registry
