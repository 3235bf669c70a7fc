#include <fmt/format.h>

#include "common/option_groups.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "registry/client.hpp"
#include "skopeo/commands.hpp"
#include "spec/json.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> list_repos_options() {
  std::vector<Option> options = common::registry_options("");
  common::append(options, common::retry_option_group());
  options.push_back(common::authfile_option());
  return options;
}

std::string parse_registry(const std::string& argument) {
  constexpr std::string_view prefix = "docker://";
  const std::string host = argument.starts_with(prefix) ? argument.substr(prefix.size()) : argument;
  if (host.empty() || host.find('/') != std::string::npos) {
    throw Error(Kind::invalid_input, fmt::format("Invalid registry \"{}\": HOST[:PORT] expected", argument));
  }
  return host;
}

int run_list_repos(Invocation& invocation) {
  if (invocation.arguments.size() != 1) invocation.refuse_usage("Exactly one argument expected", true);
  const std::string host = parse_registry(invocation.arguments[0]);
  common::Session session(invocation);
  const auto client = registry::Client::make(host, "", registry::Access::pull, session.registry_options(""));
  std::vector<std::string> names;
  common::retry(invocation.context, common::retry_options(invocation.flags), [&] {
    in_context("Error listing repositories", [&] { names = client->repositories(invocation.context); });
  });
  invocation.out.line(spec::dump_json({{"Registry", host}, {"Repositories", names}}, 4));
  return 0;
}

}  // namespace

const common::Command list_repos_command{
    .name = "list-repos",
    .summary = "List the repositories of a registry",
    .description = "List the repositories of a registry, as far as it tells (its catalog).",
    .synopsis = "[command options] REGISTRY",
    .example = "list-repos registry.example.com:5000",
    .argument = common::ArgumentHint::registry,
    .options = list_repos_options,
    .run = run_list_repos,
    .aliases = {"catalog"}};

}  // namespace lade::skopeo
