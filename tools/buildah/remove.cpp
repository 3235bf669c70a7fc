#include <fmt/format.h>

#include "buildah/commands.hpp"
#include "buildah/working.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;

std::vector<Option> rm_options() {
  return {{.name = "all", .short_name = 'a', .help = "remove all containers"}};
}

int run_rm(Invocation& invocation) {
  const auto& names = invocation.arguments;
  const bool all = invocation.flags.flag("all");
  if (names.empty() && !all) throw Error(Kind::invalid_input, "container ID must be specified");
  if (!names.empty() && all)
    throw Error(Kind::invalid_input,
                "when using the --all switch, you may not pass any containers names or IDs");
  engines::require_flags_first(invocation);
  WorkSession session(invocation);
  std::vector<std::string> wanted = names;
  if (all)
    for (const auto& builder : session.builders().all()) wanted.push_back(builder.id());
  for_each_name(wanted, [&](const std::string& name) {
    in_context([&] { return fmt::format("removing container \"{}\"", name); },
               [&] {
                 const auto builder = session.builders().open(name);
                 session.builders().remove(builder);
                 invocation.out.line(builder.id());
                 invocation.out.flush();
               });
  });
  return 0;
}

int run_rename(Invocation& invocation) {
  engines::require_exactly(invocation, 2);
  engines::require_flags_first(invocation);
  const std::string& name = invocation.arguments[0];
  const std::string& wanted = invocation.arguments[1];
  WorkSession session(invocation);
  auto builder = session.open(name);
  if (builder.name() == wanted)
    throw Error(Kind::already_exists, "renaming a container with the same name as its current name");
  if (const auto other = session.builders().find(wanted))
    throw Error(
        Kind::already_exists,
        fmt::format("the container name \"{}\" is already in use by container \"{}\"", wanted, other->id()));
  in_context(
      [&] { return fmt::format("renaming container \"{}\" to the name \"{}\"", builder.name(), wanted); },
      [&] { session.builders().rename(builder, wanted); });
  return 0;
}

}  // namespace

const common::Command rm_command{
    .name = "rm",
    .summary = "Remove one or more working containers",
    .description = "Removes one or more working containers, unmounting them if necessary.",
    .synopsis = "[flags] [CONTAINER...]",
    .example = "rm containerID\nrm containerID1 containerID2 containerID3\nrm --all",
    .options = rm_options,
    .run = run_rm,
    .aliases = {"delete"},
    .runs_program = true};

const common::Command rename_command{.name = "rename",
                                     .summary = "Rename a container",
                                     .description = "Renames a local container.",
                                     .synopsis = "CONTAINER CONTAINER",
                                     .example = "rename containerName NewName\nrename containerID NewName",
                                     .run = run_rename,
                                     .runs_program = true};

}  // namespace lade::buildah
