#include <fmt/format.h>

#include "buildah/commands.hpp"
#include "engines/front.hpp"
#include "engines/unshare.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;

// buildah's own status for a program that could not be started.
constexpr int exit_not_started = 1;

std::vector<common::Option> unshare_options() {
  return {{.name = "mount",
           .short_name = 'm',
           .kind = common::ValueKind::list,
           .value_name = "[VARIABLE=]CONTAINER",
           .help = "mount the container, and set the variable (named after it) to where"}};
}

// Containers mounted for as long as this lives.
class Mounts {
 public:
  Mounts(engines::EngineSession& session, const std::vector<std::string>& wanted) : session_(session) {
    try {
      for (const std::string& text : wanted) mount(text);
    } catch (...) {
      unmount_all();
      throw;
    }
  }
  Mounts(const Mounts&) = delete;
  Mounts& operator=(const Mounts&) = delete;
  ~Mounts() { unmount_all(); }

  const engines::Variables& variables() const { return variables_; }

 private:
  void mount(const std::string& text) {
    const auto equals = text.find('=');
    const std::string name = equals == std::string::npos ? text : text.substr(equals + 1);
    store::Store& store = *session_.store();
    const auto container = store.find_container(session_.context(), name);
    if (!container)
      throw Error(Kind::not_found,
                  fmt::format("loading information about build container \"{}\": container not known", name));
    const auto path = store.mount_container(session_.context(), container->id);
    mounted_.push_back(container->id);
    variables_.emplace_back(equals == std::string::npos ? name : text.substr(0, equals), path.string());
  }

  void unmount_all() noexcept {
    for (const std::string& id : mounted_) {
      try {
        session_.store()->unmount_container(session_.context(), id);
      } catch (const std::exception& error) {
        session_.context().log.warning(fmt::format("unmounting container {}: {}", id, error.what()));
      }
    }
    mounted_.clear();
  }

  engines::EngineSession& session_;
  std::vector<std::string> mounted_;
  engines::Variables variables_;
};

int run_unshare(Invocation& invocation) {
  engines::EngineSession session(invocation);
  engines::refuse_root(session.session().environment());
  const Mounts mounts(session, invocation.flags.list("mount"));
  engines::Variables variables = mounts.variables();
  if (session.session().environment().get("BUILDAH_ISOLATION").empty())
    variables.emplace_back("BUILDAH_ISOLATION", "rootless");
  const auto program = engines::program_to_unshare(invocation, variables, "no command specified");
  try {
    if (mounts.variables().empty()) os::become_program(program);
    return os::run_in_foreground(program);
  } catch (const Error& error) {
    return engines::fail(exit_not_started, error.what());
  }
}

}  // namespace

const common::Command unshare_command{
    .name = "unshare",
    .summary = "Run a command in a modified user namespace",
    .description =
        "Runs a command, or a shell, as root of the user namespace in which the files of this user's\n"
        "images and containers belong to who they belong to.",
    .synopsis = "[options] [COMMAND [ARG...]]",
    .example = "unshare id\nunshare --mount containerID cat ${containerID}/etc/os-release",
    .options = unshare_options,
    .run = run_unshare,
    .runs_program = true};

}  // namespace lade::buildah
