#include "common/option_groups.hpp"

namespace lade::common {
namespace {

constexpr std::string_view authfile_help =
    "path of the registry credentials file. Default is ${XDG_RUNTIME_DIR}/containers/auth.json";

std::string heading(const std::string& prefix) {
  if (prefix == "src-") return "Source registry";
  return prefix == "dest-" ? "Destination registry" : "Registry";
}

std::vector<std::string> creds_alias(const std::string& prefix) {
  if (prefix == "src-") return {"screds"};
  if (prefix == "dest-") return {"dcreds"};
  return {};
}

}  // namespace

Option authfile_option() {
  return {.name = "authfile",
          .kind = ValueKind::text,
          .value_name = "PATH",
          .help = std::string(authfile_help),
          .group = "Registry"};
}

std::vector<Option> registry_options(const std::string& prefix) {
  const std::string group = heading(prefix);
  std::vector<Option> options = {
      {.name = prefix + "cert-dir",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "use certificates at PATH (*.crt, *.cert, *.key) to connect to the registry",
       .group = group},
      {.name = prefix + "creds",
       .kind = ValueKind::text,
       .value_name = "USERNAME[:PASSWORD]",
       .help = "Use USERNAME[:PASSWORD] for accessing the registry",
       .group = group,
       .aliases = creds_alias(prefix)},
      {.name = prefix + "no-creds", .help = "Access the registry anonymously", .group = group},
      {.name = prefix + "password",
       .kind = ValueKind::text,
       .help = "Password for accessing the registry",
       .group = group},
      {.name = prefix + "registry-token",
       .kind = ValueKind::text,
       .help = "Provide a Bearer token for accessing the registry",
       .group = group},
      {.name = prefix + "tls-verify",
       .help = "require HTTPS and verify certificates when talking to the registry",
       .group = group},
      {.name = prefix + "username",
       .kind = ValueKind::text,
       .help = "Username for accessing the registry",
       .group = group},
  };
  if (!prefix.empty()) {
    options.push_back({.name = prefix + "authfile",
                       .kind = ValueKind::text,
                       .value_name = "PATH",
                       .help = std::string(authfile_help),
                       .group = group});
  }
  return options;
}

std::vector<Option> image_options(const std::string& prefix) {
  std::vector<Option> options = registry_options(prefix);
  options.push_back({.name = prefix + "shared-blob-dir",
                     .kind = ValueKind::text,
                     .value_name = "DIRECTORY",
                     .help = "DIRECTORY to use to share blobs across OCI repositories"});
  options.push_back({.name = prefix + "daemon-host",
                     .kind = ValueKind::text,
                     .value_name = "HOST",
                     .help = "use docker daemon host at HOST (docker-daemon: only)"});
  return options;
}

std::vector<Option> retry_option_group() {
  return {
      {.name = "retry-times", .kind = ValueKind::integer, .help = "the number of times to possibly retry"},
      {.name = "retry-delay",
       .kind = ValueKind::duration,
       .help = "Fixed delay between retries. If not set, retry uses an exponential backoff delay."}};
}

std::vector<Option> platform_options() {
  return {{.name = "override-arch",
           .kind = ValueKind::text,
           .value_name = "ARCH",
           .help = "use ARCH instead of the architecture of the machine for choosing images"},
          {.name = "override-os",
           .kind = ValueKind::text,
           .value_name = "OS",
           .help = "use OS instead of the running OS for choosing images"},
          {.name = "override-variant",
           .kind = ValueKind::text,
           .value_name = "VARIANT",
           .help = "use VARIANT instead of the running architecture variant for choosing images"}};
}

std::vector<Option> policy_options() {
  return {{.name = "insecure-policy", .help = "run the tool without any policy check"},
          {.name = "policy",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "Path to a trust policy file"},
          {.name = "require-signed", .help = "refuse images that the policy accepts without any signature"}};
}

}  // namespace lade::common
