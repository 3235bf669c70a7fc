#include "common/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/tls_details.hpp"
#include "registry/pool_options.hpp"
#include "registry/tls_details.hpp"

namespace lade::common {
namespace {

[[noreturn]] void refuse(const char* message) {
  throw Error(Kind::invalid_input, message);
}

std::string named(std::string_view prefix, std::string_view option) {
  return fmt::format("{}{}", prefix, option);
}

// Programs differ in which options they have: one that is not in the table was not given.
std::optional<std::string> text_if_known(const Flags& flags, std::string_view name) {
  return flags.has(name) ? flags.find_text(name) : std::nullopt;
}
std::string text_or_empty(const Flags& flags, std::string_view name) {
  return text_if_known(flags, name).value_or("");
}
std::optional<bool> flag_if_known(const Flags& flags, std::string_view name) {
  return flags.has(name) ? flags.find_flag(name) : std::nullopt;
}
bool is_set(const Flags& flags, std::string_view name) {
  return flag_if_known(flags, name).value_or(false);
}

registry::Credentials parse_credentials(const std::string& text) {
  if (text.empty()) refuse("credentials can't be empty");
  const std::size_t colon = text.find(':');
  registry::Credentials credentials;
  credentials.username = text.substr(0, colon);
  if (credentials.username.empty()) refuse("username can't be empty");
  if (colon != std::string::npos) credentials.password = text.substr(colon + 1);
  return credentials;
}

std::optional<registry::Credentials> credentials_of(const Flags& flags, std::string_view prefix) {
  const auto creds = text_if_known(flags, named(prefix, "creds"));
  const auto username = text_if_known(flags, named(prefix, "username"));
  const auto password = text_if_known(flags, named(prefix, "password"));
  const bool anonymous = is_set(flags, named(prefix, "no-creds"));
  if (creds && anonymous) refuse("creds and no-creds cannot be specified at the same time");
  if (username && anonymous) refuse("username and no-creds cannot be specified at the same time");
  if (creds && username) refuse("creds and username cannot be specified at the same time");
  if (username && !password) refuse("password must be specified when username is specified");
  if (password && !username) refuse("username must be specified when password is specified");
  if (creds) return parse_credentials(*creds);
  if (username) return registry::Credentials{*username, *password, ""};
  return std::nullopt;
}

}  // namespace

Session::Session(const Invocation& invocation)
    : invocation_(invocation),
      environment_(std::make_shared<const config::Environment>(config::Environment::of_process())) {
  // Refused even where no policy is asked for.
  if (is_set(invocation.flags, "insecure-policy") && is_set(invocation.flags, "require-signed"))
    refuse("--insecure-policy and --require-signed are mutually exclusive");
  const std::string details = text_or_empty(invocation.flags, "tls-details");
  if (details.empty()) return;
  in_context([&] { return fmt::format("parsing TLS details \"{}\"", details); },
             [&] {
               tls_details_ = std::make_shared<const config::TlsDetails>(config::read_tls_details(details));
               registry::check_tls_details(*tls_details_);
             });
}

registry::Options Session::connection_options() {
  registry::Options options;
  options.tls_verify = tls_verify("");
  if (invocation_.flags.has("cert-dir")) options.cert_dir = invocation_.flags.text("cert-dir");
  options.environment = environment_;
  options.user_agent = user_agent();
  options.registries = registries();
  options.pool = pool();
  return options;
}

registry::Options Session::registry_options(std::string_view prefix) {
  const Flags& flags = invocation_.flags;
  registry::Options options = connection_options();
  options.credentials = credentials_of(flags, prefix);
  options.no_credentials = is_set(flags, named(prefix, "no-creds"));
  options.registry_token = text_or_empty(flags, named(prefix, "registry-token"));
  options.tls_verify = tls_verify(prefix);
  options.cert_dir = text_or_empty(flags, named(prefix, "cert-dir"));
  options.find_credentials =
      [store = config::AuthStore(*environment_, auth_options(prefix)), context = invocation_.context](
          const std::string& host, const std::string& path) { return store.find(context, host, path); };
  if (flags.has("parallel-ranges")) {
    options.parallel_ranges = static_cast<unsigned>(std::clamp<std::uint64_t>(
        flags.find_unsigned("parallel-ranges").value_or(options.parallel_ranges), 1, 64));
  }
  if (flags.has("dest-chunk-size") && prefix == "dest-")
    options.chunk_size = flags.find_size("dest-chunk-size");
  return options;
}

transport::Options Session::transport_options(std::string_view prefix,
                                              const transport::ImageReference& reference) {
  const Flags& flags = invocation_.flags;
  transport::Options options;
  if (reference.transport() == "docker") {
    options.registry = registry_options(prefix);
    options.registries_d = registries_d();
  }
  if (reference.transport() == "oci") {  // its blobs may be elsewhere, by their urls
    options.registry.pool = pool();
    options.registry.user_agent = user_agent();
  }
  if (flags.has(named(prefix, "shared-blob-dir"))) {
    options.shared_blob_dir = flags.text(named(prefix, "shared-blob-dir"));
  }
  if (reference.transport() == "docker-daemon") {
    options.registry.user_agent = user_agent();
    options.registry.tls_details = tls_details_;
    options.registry.environment = environment_;
    options.docker_daemon = {.host = text_or_empty(flags, named(prefix, "daemon-host")),
                             .cert_dir = text_or_empty(flags, named(prefix, "cert-dir")),
                             .tls_verify = tls_verify(prefix).value_or(true)};
  }
  if (const auto directory = text_if_known(flags, "tmpdir")) options.big_files_dir = *directory;
  return options;
}

spec::PlatformChoice Session::platform() const {
  const Flags& flags = invocation_.flags;
  return {text_or_empty(flags, "override-os"), text_or_empty(flags, "override-arch"),
          text_or_empty(flags, "override-variant")};
}

trust::PolicyContext Session::policy() const {
  const Flags& flags = invocation_.flags;
  // The --policy of podman and buildah says when to pull.
  const bool of_trust = flags.has("insecure-policy");
  return trust::PolicyContext::load(invocation_.context, *environment_,
                                    {text_or_empty(flags, of_trust ? "policy" : "signature-policy"),
                                     is_set(flags, "insecure-policy"), is_set(flags, "require-signed")});
}

config::AuthStore Session::auth_store() {
  return config::AuthStore(*environment_, auth_options(""));
}

const std::shared_ptr<const config::RegistriesConf>& Session::registries() {
  if (!registries_) {
    registries_ = std::make_shared<const config::RegistriesConf>(
        config::RegistriesConf::load(*environment_, text_or_empty(invocation_.flags, "registries-conf"),
                                     text_or_empty(invocation_.flags, "registries-conf-dir")));
  }
  return registries_;
}

const std::shared_ptr<const config::RegistriesD>& Session::registries_d() {
  if (!registries_d_) {
    registries_d_ = std::make_shared<const config::RegistriesD>(
        config::RegistriesD::load(*environment_, text_or_empty(invocation_.flags, "registries.d")));
  }
  return registries_d_;
}

std::shared_ptr<registry::HttpPool> Session::pool() {
  if (!pool_) {
    registry::PoolOptions options = registry::pool_options_of(*environment_);
    options.user_agent = user_agent();
    options.tls_details = tls_details_;
    pool_ = registry::make_http_pool(options);
  }
  return pool_;
}

std::string Session::user_agent() const {
  const std::string prefix = text_or_empty(invocation_.flags, "user-agent-prefix");
  return prefix.empty() ? invocation_.program.user_agent : prefix + " " + invocation_.program.user_agent;
}

std::optional<bool> Session::tls_verify(std::string_view prefix) const {
  const auto own = flag_if_known(invocation_.flags, named(prefix, "tls-verify"));
  if (own || prefix.empty()) return own;
  const auto for_all = flag_if_known(invocation_.flags, "tls-verify");
  if (for_all) {
    invocation_.context.log.warning(
        "'--tls-verify' is deprecated, please set this on the specific subcommand");
  }
  return for_all;
}

std::string Session::auth_file(std::string_view prefix) const {
  const Flags& flags = invocation_.flags;
  if (!prefix.empty() && flags.given(named(prefix, "authfile"))) return flags.text(named(prefix, "authfile"));
  return text_or_empty(flags, "authfile");
}

config::AuthOptions Session::auth_options(std::string_view prefix) {
  config::AuthOptions options;
  options.auth_file = auth_file(prefix);
  if (invocation_.flags.has("compat-auth-file")) {
    options.compat_auth_file = invocation_.flags.text("compat-auth-file");
  }
  options.credential_helpers = registries()->credential_helpers();
  return options;
}

}  // namespace lade::common
