// Programs that have the terminal, and whose end is ours.
#pragma once

#include <string>
#include <vector>

namespace lade::os {

struct ForegroundProgram {
  std::vector<std::string> arguments;    // argv; the first is looked up in our PATH as in find_program()
  std::vector<std::string> environment;  // NAME=value
};

// Becomes the program, with default handling of signals. Returns only by an Error, whose text is as Go's:
// Kind::not_found `exec: "x": executable file not found in $PATH`, Kind::denied
// `fork/exec /x: permission denied`, others by their errno.
[[noreturn]] void become_program(const ForegroundProgram& program);

// Runs it and waits; it is killed should this process be. Meanwhile SIGINT and SIGQUIT of the terminal are
// the program's alone, and other SIGINT, SIGQUIT, SIGTERM and SIGHUP are handed on to it. Signal handling is
// as it was afterwards. At most one at a time. The exit status; 128 + N if signal N ended it. Errors as
// above.
int run_in_foreground(const ForegroundProgram& program);

}  // namespace lade::os
