#include "engines/unshare.hpp"

#include "base/error.hpp"

namespace lade::engines {

void refuse_root(const config::Environment& environment) {
  // In a namespace of a user it may be said again, and changes nothing.
  if (environment.uid == 0 && environment.privileged)
    throw Error(Kind::invalid_input, "please use unshare with rootless");
}

os::ForegroundProgram program_to_unshare(const common::Invocation& invocation, const Variables& variables,
                                         const char* no_shell) {
  auto environment = config::Environment::of_process();
  os::ForegroundProgram program{invocation.arguments, {}};
  if (program.arguments.empty()) {
    const std::string shell = environment.get("SHELL");
    if (shell.empty()) throw Error(Kind::invalid_input, no_shell);
    program.arguments.push_back(shell);
  }
  environment.variables.try_emplace("TMPDIR", "/var/tmp");
  for (const auto& [name, value] : variables) environment.variables[name] = value;
  for (const auto& [name, value] : environment.variables) program.environment.push_back(name + "=" + value);
  return program;
}

}  // namespace lade::engines
