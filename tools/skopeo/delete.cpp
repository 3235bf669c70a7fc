#include "common/option_groups.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/image_name.hpp"
#include "transport/docker/docker.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> delete_options() {
  std::vector<Option> options = common::image_options("");
  common::append(options, common::retry_option_group());
  options.push_back(common::authfile_option());
  options.push_back(
      {.name = "tag-only", .help = "remove the tag and leave the image that it names (docker: only)"});
  return options;
}

void delete_tag(const Context& context, const transport::ImageReference& image,
                const transport::Options& options) {
  if (image.transport() != "docker") {
    throw Error(Kind::invalid_input, "--tag-only is for images of the docker: transport");
  }
  transport::delete_docker_tag(context, image.docker_reference().value(), options);
}

int run_delete(Invocation& invocation) {
  if (invocation.arguments.size() != 1) invocation.refuse_usage("Usage: delete imageReference");
  const auto image = parse_image(invocation.arguments[0], "source");
  common::Session session(invocation);
  const auto options = session.transport_options("", *image);
  common::retry(invocation.context, common::retry_options(invocation.flags), [&] {
    if (invocation.flags.flag("tag-only")) {
      delete_tag(invocation.context, *image, options);
    } else {
      image->remove(invocation.context, options);
    }
  });
  return 0;
}

}  // namespace

const common::Command delete_command{
    .name = "delete",
    .summary = "Delete image IMAGE-NAME",
    .description = "Delete an \"IMAGE-NAME\": the manifest itself, and so every tag that names it.",
    .synopsis = "[command options] IMAGE-NAME",
    .example = "delete docker://registry.example.com/example/pause:latest",
    .argument = common::ArgumentHint::image,
    .options = delete_options,
    .run = run_delete,
    .needs_namespace = names_local_store};

}  // namespace lade::skopeo
