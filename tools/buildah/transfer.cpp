#include "engines/transfer.hpp"

#include "buildah/commands.hpp"
#include "buildah/working.hpp"

namespace lade::buildah {
namespace {

constexpr const char* default_policy = "missing";

std::vector<common::Option> options_of_pull() {
  return engines::pull_options(default_policy);
}

std::vector<common::Option> options_of_push() {
  auto options = engines::push_options();
  common::append(options, {{.name = "disable-compression",
                            .short_name = 'D',
                            .help = "don't compress layers, in an OCI layout or archive"}});
  return options;
}

int run_pull(common::Invocation& invocation) {
  engines::require_flags_first(invocation);
  check_auth_file(invocation.flags);
  return engines::run_pull(invocation, default_policy, "an image name must be specified");
}

int run_push(common::Invocation& invocation) {
  engines::require_flags_first(invocation);
  check_auth_file(invocation.flags);
  return engines::run_push(
      invocation, {.without_image = "at least a source image ID must be specified", .names_failures = true});
}

}  // namespace

const common::Command pull_command{.name = "pull",
                                   .summary = "Pull an image from the specified location",
                                   .description =
                                       "Pulls an image from a registry, or from an archive or directory by "
                                       "its transport, and stores it locally. Prints its ID.",
                                   .synopsis = "[flags] IMAGE",
                                   .example = "pull imagename\npull docker-daemon:imagename:imagetag",
                                   .argument = common::ArgumentHint::image,
                                   .options = options_of_pull,
                                   .run = run_pull,
                                   .runs_program = true};

const common::Command push_command{.name = "push",
                                   .summary = "Push an image to a specified destination",
                                   .description =
                                       "Pushes a local image to a registry, or to an archive or directory "
                                       "by its transport.",
                                   .synopsis = "[flags] IMAGE [DESTINATION]",
                                   .example = "push imageID docker://registry.example.com/repository:tag",
                                   .argument = common::ArgumentHint::image,
                                   .options = options_of_push,
                                   .run = run_push,
                                   .runs_program = true};

}  // namespace lade::buildah
