#include "common/rootless.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "config/environment.hpp"
#include "os/file.hpp"
#include "os/user_namespace.hpp"

namespace lade::common {
namespace {

constexpr const char* usual_path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

void set_variable(const char* name, const std::string& value) {
  if (::setenv(name, value.c_str(), 1) != 0) throw Error::from_errno(errno, "setenv");
}

// Of podman's pause process; 0 if there is none.
pid_t pause_process(const config::Environment& environment) {
  std::string runtime = environment.get("XDG_RUNTIME_DIR");
  if (runtime.empty()) runtime = "/run/user/" + std::to_string(environment.uid);
  const auto text = os::find_file(std::filesystem::path(runtime) / "libpod/tmp/pause.pid", 32).value_or("");
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

void become_root(const Context& context, bool join_pause_process) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const auto environment = config::Environment::of_process();
  if (uid == 0) {
    // No store needs it that can do without mounts.
    if (!os::enter_identical_namespace(context)) return;
  } else {
    const pid_t pause = join_pause_process ? pause_process(environment) : 0;
    os::NamespaceOptions options;
    options.program_path = environment.get("PATH") + ":" + usual_path;
    if (pause <= 0 || !os::join_user_namespace(pause)) os::enter_user_namespace(context, options);
  }
  set_variable("_CONTAINERS_USERNS_CONFIGURED", "done");
  set_variable("_CONTAINERS_ROOTLESS_UID", std::to_string(uid));
  set_variable("_CONTAINERS_ROOTLESS_GID", std::to_string(gid));
}

}  // namespace

void enter_namespace(const Request& request, const Context& context, NamespaceRule otherwise,
                     bool join_pause_process) {
  if (::geteuid() == 0 && os::has_cap_sys_admin()) return;
  const NamespaceRule rule = request.command.needs_namespace ? request.command.needs_namespace : otherwise;
  if (rule(request)) become_root(context, join_pause_process);
}

}  // namespace lade::common
