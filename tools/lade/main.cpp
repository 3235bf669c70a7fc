// One program, many grammars: chosen by the name it is called by, or by the first argument.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "buildah/commands.hpp"
#include "common/log_format.hpp"
#include "podman/commands.hpp"
#include "runtime/commands.hpp"
#include "skopeo/commands.hpp"
#include "store/commands.hpp"

namespace {

using Words = std::vector<std::string>;

// What skopeo's users know as its version, for scripts that ask.
constexpr const char* skopeo_version = "1.24.0";

struct Grammar {
  std::string_view name;
  int (*run)(std::string_view name, const Words& args);
};

int run_lade(std::string_view, const Words& args) {
  return lade::common::run_program(lade::skopeo::program("lade", "lade version " LADE_VERSION), args);
}

int run_skopeo(std::string_view, const Words& args) {
  const std::string version = std::string("skopeo version ") + skopeo_version + " (lade " LADE_VERSION ")";
  auto program = lade::skopeo::program("skopeo", version);
  program.user_agent = std::string("skopeo/") + skopeo_version + " " + program.user_agent;
  return lade::common::run_program(program, args);
}

void say_missing(std::string_view name) {
  lade::common::LogrusLogger logger(2, lade::common::choose_log_style(2), lade::Level::info);
  logger.fatal("the commands of " + std::string(name) + " are not available in lade yet");
}

int run_missing(std::string_view name, const Words&) {
  say_missing(name);
  return 1;
}

int run_podman(std::string_view, const Words& args) {
  const std::string version = std::string("podman version ") + lade::podman::emulated_version + " (lade " LADE_VERSION ")";
  return lade::common::run_program(lade::podman::program("podman", version), args);
}

int run_buildah(std::string_view, const Words& args) {
  const std::string version = std::string("buildah version ") + lade::buildah::emulated_version + " (lade " LADE_VERSION ")";
  return lade::common::run_program(lade::buildah::program("buildah", version), args);
}

int run_store(std::string_view, const Words& args) {
  return lade::common::run_program(lade::store_tool::program("lade store", "lade version " LADE_VERSION),
                                   args);
}

int run_runtime(std::string_view name, const Words& args) {
  return lade::common::run_program(lade::runtime_tool::program(std::string(name)), args);
}

constexpr Grammar grammars[] = {
    {"skopeo", run_skopeo},     {"buildah", run_buildah},     {"podman", run_podman},
    {"apptainer", run_missing}, {"singularity", run_missing}, {"enroot", run_missing},
    {"edf", run_missing},       {"runtime", run_runtime},     {"lade-runtime", run_runtime},
    {"store", run_store},
};

const Grammar* find_grammar(std::string_view name) {
  const auto* found = std::find_if(std::begin(grammars), std::end(grammars),
                                   [&](const Grammar& g) { return g.name == name; });
  return found == std::end(grammars) ? nullptr : found;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// Otherwise the first file opened would become standard output.
void open_standard_descriptors() {
  for (const int fd : {0, 1, 2}) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  const Words args(argv + std::min(argc, 1), argv + argc);
  if (const Grammar* grammar = find_grammar(argc > 0 ? base_name(argv[0]) : ""))
    return grammar->run(grammar->name, args);
  if (!args.empty()) {
    if (const Grammar* grammar = find_grammar(args.front())) {
      return grammar->run(grammar->name, Words(args.begin() + 1, args.end()));
    }
  }
  return run_lade("lade", args);
}
