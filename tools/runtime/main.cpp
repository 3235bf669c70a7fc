// The runtime alone: engines start it several times for each container, and it needs few of the libraries
// that lade has. `lade runtime` is the same.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/command.hpp"
#include "runtime/commands.hpp"

int main(int argc, char** argv) {
  // Otherwise the first file opened would become standard output.
  for (const int fd : {0, 1, 2}) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  return lade::common::run_program(lade::runtime_tool::program("lade-runtime"), args);
}
