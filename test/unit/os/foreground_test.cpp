#include "os/foreground.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/errors.hpp"

using namespace lade;
using test::kind_of;
using test::message_of;

namespace {

int foreground_status(const std::string& script) {
  return os::run_in_foreground({{"/bin/sh", "-c", script}, {"PATH=/usr/bin:/bin", "NAME=value"}});
}

}  // namespace

TEST_CASE("foreground: the status is the program's, or of the signal that ended it") {
  CHECK(foreground_status("exit 7") == 7);
  CHECK(foreground_status("kill -9 $$") == 137);
}

TEST_CASE("foreground: the program has the given environment and no other") {
  CHECK(foreground_status("[ \"$NAME\" = value ] && [ -z \"$HOME\" ]") == 0);
}

TEST_CASE("foreground: a program that is not there, or none, is refused in Go's words") {
  CHECK(message_of([] {
          os::run_in_foreground({{"lade-no-such"}, {}});
        }) == "exec: \"lade-no-such\": executable file not found in $PATH");
  CHECK(kind_of([] { os::run_in_foreground({{"lade-no-such"}, {}}); }) == Kind::not_found);
  CHECK(kind_of([] { os::become_program({{"/lade/no/such"}, {}}); }) == Kind::not_found);
  CHECK(message_of([] {
          os::run_in_foreground({{"/etc/passwd"}, {}});
        }) == "fork/exec /etc/passwd: permission denied");
}

TEST_CASE("foreground: a request to end reaches the program, and ours is as before") {
  struct sigaction before {
  }, after{};
  ::sigaction(SIGTERM, nullptr, &before);
  CHECK(foreground_status("kill -TERM $PPID; exec sleep 20") == 143);
  ::sigaction(SIGTERM, nullptr, &after);
  CHECK((after.sa_handler == before.sa_handler));
}

TEST_CASE("foreground: a program that takes our place is all there is") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    os::become_program({{"/bin/sh", "-c", "kill -PIPE $$"}, {}});
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WTERMSIG(status) == SIGPIPE);
}
