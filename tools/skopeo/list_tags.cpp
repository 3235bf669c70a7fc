#include <fmt/format.h>

#include "common/option_groups.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "skopeo/commands.hpp"
#include "spec/image_name.hpp"
#include "spec/json.hpp"
#include "transport/containers_storage/containers_storage.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> list_tags_options() {
  std::vector<Option> options = common::registry_options("");
  common::append(options, common::retry_option_group());
  options.push_back(common::authfile_option());
  return options;
}

spec::Json tags_of(Invocation& invocation, const std::string& argument) {
  if (argument.find(':') == std::string::npos) {
    throw Error(Kind::invalid_input, fmt::format("Invalid \"{}\": does not specify a transport", argument));
  }
  const spec::ImageName name = spec::ImageName::parse(argument);
  common::Session session(invocation);
  const Context& context = invocation.context;
  if (name.transport == "docker") {
    const spec::Reference repository = transport::parse_docker_repository(name.rest);
    transport::Options options;
    options.registry = session.registry_options("");
    const auto tags = in_context("Error listing repository tags",
                                 [&] { return transport::list_docker_tags(context, repository, options); });
    return {{"Repository", repository.name()}, {"Tags", tags}};
  }
  if (name.transport == "docker-archive") {
    const auto archive = transport::parse_image_name(argument);
    const auto options = session.transport_options("", *archive);
    return {{"Tags", transport::docker_archive_tags(context, *archive, options)}};
  }
  if (name.transport == "containers-storage") {
    const auto repository = transport::parse_image_name(argument);
    const auto options = session.transport_options("", *repository);
    const auto tags = transport::containers_storage_tags(context, *repository, options);
    const auto reference = repository->docker_reference();
    return {{"Repository", reference ? reference->name() : ""}, {"Tags", tags}};
  }
  throw Error(
      Kind::invalid_input,
      fmt::format("Unsupported transport '{}' for tag listing. Only supported: docker, docker-archive, "
                  "containers-storage",
                  name.transport));
}

int run_list_tags(Invocation& invocation) {
  if (invocation.arguments.size() != 1)
    invocation.refuse_usage("Exactly one non-option argument expected", true);
  spec::Json document;
  common::retry(invocation.context, common::retry_options(invocation.flags),
                [&] { document = tags_of(invocation, invocation.arguments[0]); });
  invocation.out.line(spec::dump_json(document, 4));
  return 0;
}

}  // namespace

const common::Command list_tags_command{
    .name = "list-tags",
    .summary = "List tags in the transport/repository specified by the SOURCE-IMAGE",
    .description =
        "Return the list of tags from the transport/repository \"SOURCE-IMAGE\"\n\n"
        "Supported transports:\ndocker docker-archive containers-storage",
    .synopsis = "[command options] SOURCE-IMAGE",
    .example = "list-tags docker://docker.io/fedora",
    .argument = common::ArgumentHint::image,
    .options = list_tags_options,
    .run = run_list_tags};

}  // namespace lade::skopeo
