#include <array>

#include "engines/front.hpp"
#include "podman/commands.hpp"

namespace lade::podman {
namespace {

constexpr std::string_view missing_names[] = {
    "artifact",    "attach",      "auto-update", "build",        "commit",    "container",    "cp",
    "create",      "diff",        "events",      "exec",         "export",    "farm",         "generate",
    "healthcheck", "image build", "image diff",  "image import", "image scp", "image search", "image sign",
    "image trust", "import",      "info",        "init",         "kill",      "kube",         "logs",
    "machine",     "manifest",    "mount",       "network",      "pause",     "play",         "pod",
    "port",        "ps",          "quadlet",     "rename",       "restart",   "rm",           "run",
    "search",      "secret",      "start",       "stats",        "stop",      "system",       "top",
    "umount",      "unmount",     "unpause",     "update",       "volume",    "wait"};

}  // namespace

std::span<const common::Command* const> missing_commands() {
  static const std::vector<common::Command> commands = [] {
    std::vector<common::Command> list;
    for (const std::string_view name : missing_names) list.push_back(engines::missing_command(name));
    return list;
  }();
  static const std::vector<const common::Command*> pointers = [] {
    std::vector<const common::Command*> list;
    for (const auto& command : commands) list.push_back(&command);
    return list;
  }();
  return pointers;
}

}  // namespace lade::podman
