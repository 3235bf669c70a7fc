#include "engines/names.hpp"

#include "podman/commands.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> rmi_options() {
  return {{.name = "all", .short_name = 'a', .help = "Remove all images"},
          {.name = "force", .short_name = 'f', .help = "Force Removal of the image"},
          {.name = "ignore", .short_name = 'i', .help = "Ignore errors if a specified image does not exist"},
          {.name = "no-prune", .help = "Do not remove dangling images"}};
}

int run_rmi(Invocation& invocation) {
  const auto& flags = invocation.flags;
  engines::EngineSession session(invocation);
  engines::RemovalRequest request;
  request.all = flags.flag("all");
  request.options = {flags.flag("force"), flags.flag("ignore"), flags.flag("no-prune")};
  const auto report = engines::remove_requested(session, request);
  for (const std::string& name : report.untagged) invocation.out.line("Untagged: " + name);
  for (const std::string& id : report.deleted) invocation.out.line("Deleted: " + id);
  invocation.out.flush();
  if (report.errors.empty()) return 0;
  const int status = report.in_use        ? engines::exit_in_use
                     : report.all_unknown ? engines::exit_no_such_image
                                          : engines::exit_engine_error;
  return engines::fail(status, engines::join_errors(report.errors));
}

common::Command tag_named(std::string_view name) {
  return {.name = name,
          .summary = "Add an additional name to a local image",
          .description = "Adds one or more additional names to locally-stored image.",
          .synopsis = "IMAGE TARGET_NAME [TARGET_NAME...]",
          .example = "tag 0e3bbc2 fedora:latest\ntag httpd myregistryhost:5000/fedora/httpd:v2",
          .argument = common::ArgumentHint::image,
          .run = engines::run_tag};
}

common::Command untag_named(std::string_view name) {
  return {
      .name = name,
      .summary = "Remove a name from a local image",
      .description = "Removes one or more names from a locally-stored image; all of them if none is given.",
      .synopsis = "IMAGE [NAME...]",
      .example = "untag 0e3bbc2\nuntag httpd myregistryhost:5000/fedora/httpd:v2",
      .argument = common::ArgumentHint::image,
      .run = engines::run_untag};
}

common::Command rmi_named(std::string_view name, std::vector<std::string_view> aliases) {
  return {.name = name,
          .summary = "Remove one or more images from local storage",
          .description = "Removes one or more previously pulled or locally created images.",
          .synopsis = "[options] IMAGE [IMAGE...]",
          .example = "rmi imageID\nrmi --force alpine",
          .argument = common::ArgumentHint::image,
          .options = rmi_options,
          .run = run_rmi,
          .aliases = std::move(aliases)};
}

}  // namespace

const common::Command tag_command = tag_named("tag");
const common::Command image_tag_command = tag_named("image tag");
const common::Command untag_command = untag_named("untag");
const common::Command image_untag_command = untag_named("image untag");
const common::Command rmi_command = rmi_named("rmi", {});
const common::Command image_rm_command = rmi_named("image rm", {"image remove"});

}  // namespace lade::podman
