#include "engines/unshare.hpp"
#include "engines/front.hpp"
#include "podman/commands.hpp"

namespace lade::podman {
namespace {

using common::Invocation;

constexpr int exit_cannot_execute = 126;
constexpr int exit_no_such_program = 127;

std::vector<common::Option> unshare_options() {
  return {{.name = "rootless-netns",
           .help = "Join the rootless network namespace",
           .hidden = true,
           .unavailable = "the network namespace of rootless containers is not available in lade yet"}};
}

int run_unshare(Invocation& invocation) {
  engines::EngineSession session(invocation);
  engines::refuse_root(session.session().environment());
  const auto& options = session.store_options();
  const auto program = engines::program_to_unshare(invocation,
                                                   {{"CONTAINERS_GRAPHROOT", options.graph_root.string()},
                                                    {"CONTAINERS_RUNROOT", options.run_root.string()}},
                                                   "no command specified and no $SHELL specified");
  try {
    os::become_program(program);
  } catch (const Error& error) {
    const bool is_missing = error.kind() == Kind::not_found;
    return engines::fail(is_missing ? exit_no_such_program : exit_cannot_execute, error.what());
  }
}

}  // namespace

const common::Command unshare_command{
    .name = "unshare",
    .summary = "Run a command in a modified user namespace",
    .description =
        "Runs a command, or a shell, as root of the user namespace in which the files of this user's\n"
        "images belong to who they belong to. CONTAINERS_GRAPHROOT and CONTAINERS_RUNROOT tell it "
        "where they are.",
    .synopsis = "[options] [COMMAND [ARG...]]",
    .example = "unshare id\nunshare cat /proc/self/uid_map\nunshare lade podman image mount alpine",
    .options = unshare_options,
    .run = run_unshare,
    .runs_program = true};

}  // namespace lade::podman
