#include "engines/transfer.hpp"

#include "podman/commands.hpp"

namespace lade::podman {
namespace {

constexpr const char* default_policy = "always";

std::vector<common::Option> options_of_pull() {
  return engines::pull_options(default_policy);
}

int run_pull(common::Invocation& invocation) {
  return engines::run_pull(invocation, default_policy);
}

int run_push(common::Invocation& invocation) {
  return engines::run_push(invocation, {});
}

common::Command pull_named(std::string_view name) {
  return {.name = name,
          .summary = "Pull an image from a registry",
          .description =
              "Pulls an image from a registry, or from an archive or directory by its transport, and "
              "stores it locally. Prints its ID.",
          .synopsis = "[options] IMAGE [IMAGE...]",
          .example = "pull imageName\npull fedora:latest\npull oci-archive:/tmp/myimage",
          .argument = common::ArgumentHint::image,
          .options = options_of_pull,
          .run = run_pull};
}

common::Command push_named(std::string_view name) {
  return {
      .name = name,
      .summary = "Push an image to a specified destination",
      .description = "Pushes a local image to a registry, or to an archive or directory by its transport.",
      .synopsis = "[options] IMAGE [DESTINATION]",
      .example =
          "push imageID docker://registry.example.com/repository:tag\npush imageID "
          "oci-archive:/path/to/layout",
      .argument = common::ArgumentHint::image,
      .options = engines::push_options,
      .run = run_push};
}

}  // namespace

const common::Command pull_command = pull_named("pull");
const common::Command image_pull_command = pull_named("image pull");
const common::Command push_command = push_named("push");
const common::Command image_push_command = push_named("image push");

}  // namespace lade::podman
