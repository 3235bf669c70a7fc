#include "skopeo/commands.hpp"

#include "common/builtin.hpp"
#include "common/option_groups.hpp"
#include "common/rootless.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Command;
using common::Option;
using common::ValueKind;

// Adding a command: its file, and its line here.
const Command* const available[] = {
    &config_command,
    &copy_command,
    &delete_command,
    &dump_signature_command,
    &generate_sigstore_key_command,
    &image_proxy_command,
    &inspect_command,
    &list_repos_command,
    &list_tags_command,
    &login_command,
    &logout_command,
    &manifest_digest_command,
    &serve_command,
    &standalone_sign_command,
    &standalone_verify_command,
    &sync_command,
    &common::completion_command,
    &common::help_command,
    &common::version_command,
    &common::complete_command,
    &common::man_command,
};

std::vector<Option> global_options() {
  std::vector<Option> options = {
      {.name = "registries-conf",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path to the registries.conf file"},
      {.name = "registries.d",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "use registry configuration files in DIR (e.g. for container signature storage)"},
      {.name = "tls-details",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path to a containers-tls-details.yaml(5) file: the versions, ciphers and groups that TLS may "
               "use"},
      {.name = "tls-verify", .help = "deprecated: give it to the command", .hidden = true},
      {.name = "tmpdir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory used to store temporary files (default /var/tmp)"},
      {.name = "user-agent-prefix",
       .kind = ValueKind::text,
       .help = "prefix to add to the user agent string"},
  };
  common::append(options, common::platform_options());
  common::append(options, common::policy_options());
  return options;
}

}  // namespace

std::span<const Command* const> commands() {
  static const std::vector<const Command*> all = [] {
    std::vector<const Command*> list(std::begin(available), std::end(available));
    list.insert(list.end(), missing_commands().begin(), missing_commands().end());
    return list;
  }();
  return all;
}

common::Program program(std::string name, std::string version_line) {
  common::Program program{
      .name = std::move(name),
      .summary = "Various operations with container images and container image registries",
      .version_line = std::move(version_line),
      .user_agent = "lade/" LADE_VERSION,
      .options = global_options,
      .commands = commands(),
      .enter_namespace = [](const common::Request& request, const Context& context) {
        common::enter_namespace(request, context, common::needs_no_namespace, false);
      }};
  for (const transport::Transport* transport : transport::transports()) {
    program.transports.push_back(transport->name());
  }
  return program;
}

}  // namespace lade::skopeo
