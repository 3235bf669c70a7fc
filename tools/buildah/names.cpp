#include "engines/names.hpp"

#include <fmt/format.h>

#include "build/step_cache.hpp"
#include "buildah/commands.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> rmi_options() {
  return {
      {.name = "all", .short_name = 'a', .help = "remove all images"},
      {.name = "force",
       .short_name = 'f',
       .help = "force removal of the image and any containers using the image"},
      {.name = "prune", .short_name = 'p', .help = "prune dangling images"},
  };
}

int report_removal(Invocation& invocation, const engine::RemoveReport& report) {
  for (const std::string& name : report.untagged) invocation.out.line("untagged: " + name);
  for (const std::string& id : report.deleted) invocation.out.line(id);
  invocation.out.flush();
  if (report.errors.empty()) return 0;
  return engines::fail(engines::exit_engine_error, engines::list_errors(report.errors));
}

int run_rmi(Invocation& invocation) {
  engines::require_flags_first(invocation);
  const auto& flags = invocation.flags;
  engines::EngineSession session(invocation);
  engines::RemovalRequest request;
  request.all = flags.flag("all");
  request.prune = flags.flag("prune");
  request.options.force = flags.flag("force");
  return report_removal(invocation, engines::remove_requested(session, request));
}

std::vector<Option> prune_options() {
  return {
      {.name = "all", .short_name = 'a', .help = "remove all unused images"},
      {.name = "force",
       .short_name = 'f',
       .help = "force removal of the image and any containers using the image"},
  };
}

int run_prune(Invocation& invocation) {
  engines::require_flags_first(invocation);
  engines::require_exactly(invocation, 0);
  engines::EngineSession session(invocation);
  const bool force = invocation.flags.flag("force");
  build::StepCache(*session.store()).clear();
  const auto images = session.images();
  std::vector<std::string> ids;
  for (const auto& image : images.all()) {
    if (images.is_read_only(image) || (!force && !images.containers_of(image).empty())) continue;
    if (invocation.flags.flag("all") || images.is_dangling(image)) ids.push_back(image.id);
  }
  engine::RemoveOptions options;
  options.force = force;
  return report_removal(invocation, engine::remove_whole_images(session.context(), session.store(),
                                                                session.registries(), ids, options));
}

}  // namespace

const common::Command prune_command{.name = "prune",
                                    .summary = "Cleanup intermediate images as well as build and mount cache",
                                    .description =
                                        "Removes images without a name that nothing is built on, with --all "
                                        "all that no container uses; and what `run --cache` has kept.",
                                    .synopsis = "[flags]",
                                    .example = "prune\nprune --force",
                                    .options = prune_options,
                                    .run = run_prune,
                                    .runs_program = true};

const common::Command tag_command{.name = "tag",
                                  .summary = "Add an additional name to a local image",
                                  .description = "Adds one or more additional names to locally-stored image.",
                                  .synopsis = "IMAGE NAME [NAME...]",
                                  .example = "tag imageName firstNewName SecondNewName",
                                  .argument = common::ArgumentHint::image,
                                  .run = engines::run_tag};

const common::Command rmi_command{.name = "rmi",
                                  .summary = "Remove one or more images from local storage",
                                  .description = "Removes one or more locally stored images.",
                                  .synopsis = "[flags] [IMAGE...]",
                                  .example = "rmi imageID\nrmi --all --force",
                                  .argument = common::ArgumentHint::image,
                                  .options = rmi_options,
                                  .run = run_rmi,
                                  .runs_program = true};

}  // namespace lade::buildah
