#include "registry/client.hpp"

#include "config/certs.hpp"
#include "config/environment.hpp"
#include "config/registries_conf.hpp"
#include "registry/errors.hpp"
#include "registry/repository.hpp"

namespace lade::registry {

namespace {

class RepositoryClient final : public Client {
 public:
  explicit RepositoryClient(Repository repository) : repository_(std::move(repository)) {}

  spec::RawManifest manifest(const Context& context, const std::string& reference) override {
    return get_manifest(context, repository_, reference);
  }
  std::optional<ManifestInfo> find_manifest(const Context& context, const std::string& reference) override {
    return head_manifest(context, repository_, reference);
  }
  void put_manifest(const Context& context, const std::string& reference,
                    const spec::RawManifest& manifest) override {
    registry::put_manifest(context, repository_, reference, manifest);
  }
  void delete_manifest(const Context& context, const spec::Digest& digest) override {
    registry::delete_manifest(context, repository_, digest);
  }
  void delete_tag(const Context& context, const std::string& tag) override {
    registry::delete_tag(context, repository_, tag);
  }
  BlobBody blob(const Context& context, const spec::Digest& digest, std::uint64_t size) override {
    return get_blob(context, repository_, digest, size);
  }
  std::unique_ptr<io::Reader> blob_parts(const Context& context, const spec::Digest& digest,
                                         std::uint64_t size,
                                         const std::vector<io::ByteRange>& parts) override {
    return get_blob_parts(context, repository_, digest, size, parts);
  }
  BlobBody blob_from_urls(const Context& context, const std::vector<std::string>& urls) override {
    return get_external_blob(context, repository_, urls);
  }
  std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) override {
    return head_blob(context, repository_, digest);
  }
  spec::Digest put_blob(const Context& context, const std::optional<spec::Digest>& digest,
                        std::optional<std::uint64_t> size, io::Reader& data,
                        std::uint64_t& written) override {
    return registry::put_blob(context, repository_, digest, size, data, written);
  }
  bool mount_blob(const Context& context, const spec::Digest& digest, const std::string& from) override {
    return registry::mount_blob(context, repository_, digest, from);
  }
  std::vector<std::string> tags(const Context& context) override { return list_tags(context, repository_); }
  std::vector<std::string> repositories(const Context& context) override {
    return list_repositories(context, repository_);
  }
  std::vector<SearchHit> search(const Context& context, const std::string& term, std::size_t limit) override {
    return registry::search(context, repository_, term, limit);
  }
  std::vector<spec::Descriptor> referrers(const Context& context, const spec::Digest& digest) override {
    return list_referrers(context, repository_, digest);
  }

  bool keeps_signatures() const override { return repository_.session->keeps_signatures(); }
  std::vector<std::string> signatures(const Context& context, const spec::Digest& digest) override {
    return extension_signatures(context, repository_, digest);
  }
  void add_signatures(const Context& context, const spec::Digest& digest,
                      const std::vector<std::string>& signatures) override {
    add_extension_signatures(context, repository_, digest, signatures);
  }
  std::optional<std::string> find_document(const Context& context, const std::string& url,
                                           std::uint64_t limit) override {
    return registry::find_document(context, repository_, url, limit);
  }

  void check_login(const Context& context) override {
    const auto response = repository_.session->send(context, {.target = "/v2/"});
    if (response->status() != 200) throw status_error(*response, "checking credentials");
    discard(*response);
  }

 private:
  Repository repository_;
};

bool is_verified(const std::string& name, const Options& options) {
  if (options.tls_verify) return *options.tls_verify;
  return !(options.registries && options.registries->is_insecure(name));
}

Endpoint endpoint_of(const std::string& registry, bool verified, const Options& options) {
  const config::Environment nowhere;
  config::CertFiles certs;
  if (options.environment || !options.cert_dir.empty()) {
    certs =
        config::find_certs(options.environment ? *options.environment : nowhere, registry, options.cert_dir);
  }
  return {verified, certs.ca_dir, certs.client_cert, certs.client_key};
}

std::function<Credentials()> credentials_of(const std::string& registry, const std::string& path,
                                            const Options& options) {
  if (options.no_credentials) return [] { return Credentials{}; };
  if (options.credentials) return [found = *options.credentials] { return found; };
  if (!options.find_credentials) return [] { return Credentials{}; };
  return [find = options.find_credentials, registry, path] {
    return in_context("getting username and password",
                      [&] { return find(registry, path).value_or(Credentials{}); });
  };
}

std::shared_ptr<HttpPool> pool_of(const Options& options) {
  if (options.pool) return options.pool;
  PoolOptions pool;
  pool.connect_timeout = options.connect_timeout;
  pool.read_timeout = options.read_timeout;
  pool.user_agent = options.user_agent;
  pool.tls_details = options.tls_details;
  return make_http_pool(pool);
}

}  // namespace

std::unique_ptr<Client> Client::make(const std::string& registry, const std::string& path, Access access,
                                     const Options& options) {
  const std::string name = path.empty() ? registry : registry + "/" + path;
  if (options.registries) options.registries->throw_if_blocked(name);
  const bool verified = is_verified(name, options);
  Session::Settings settings{registry,
                             endpoint_of(registry, verified, options),
                             !verified,
                             options.registry_token,
                             credentials_of(registry, path, options),
                             pool_of(options)};
  auto session = std::make_shared<Session>(std::move(settings));
  return std::make_unique<RepositoryClient>(Repository{.session = std::move(session),
                                                       .path = path,
                                                       .access = access,
                                                       .parallel_ranges = options.parallel_ranges,
                                                       .chunk_size = options.chunk_size});
}

}  // namespace lade::registry
