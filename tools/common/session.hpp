// The one place where flags, environment and configuration files become the library's options.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/command.hpp"
#include "config/auth.hpp"
#include "config/environment.hpp"
#include "config/registries_conf.hpp"
#include "config/registries_d.hpp"
#include "registry/options.hpp"
#include "spec/platform.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"
#include "trust/policy.hpp"

namespace lade::common {

// Of one run of a command. Files are read when something is asked for that needs them. Must not outlive the
// Invocation, nor may the options it gives.
class Session {
 public:
  explicit Session(const Invocation& invocation);

  const config::Environment& environment() const { return *environment_; }

  // `prefix` is "", "src-" or "dest-", as in option_groups.hpp. Kind::invalid_input for credentials that
  // contradict each other.
  registry::Options registry_options(std::string_view prefix);
  // For login, which has its own options for credentials: --tls-verify and --cert-dir where the command has
  // them.
  registry::Options connection_options();
  // For opening `reference`; registries.conf is read only if it is a registry's.
  transport::Options transport_options(std::string_view prefix, const transport::ImageReference& reference);

  spec::PlatformChoice platform() const;
  trust::PolicyContext policy() const;
  // Of --authfile and --compat-auth-file where the command has them.
  config::AuthStore auth_store();

  const std::shared_ptr<const config::RegistriesConf>& registries();
  // Of --registries.d where the program has it.
  const std::shared_ptr<const config::RegistriesD>& registries_d();
  // The file of --authfile or --<prefix>authfile; "" if none was given.
  std::string auth_file(std::string_view prefix) const;

 private:
  std::shared_ptr<registry::HttpPool> pool();
  std::string user_agent() const;
  std::optional<bool> tls_verify(std::string_view prefix) const;
  config::AuthOptions auth_options(std::string_view prefix);

  const Invocation& invocation_;
  std::shared_ptr<const config::Environment> environment_;
  std::shared_ptr<const config::TlsDetails> tls_details_;  // nullptr: none
  std::shared_ptr<const config::RegistriesConf> registries_;
  std::shared_ptr<const config::RegistriesD> registries_d_;
  std::shared_ptr<registry::HttpPool> pool_;
};

}  // namespace lade::common
