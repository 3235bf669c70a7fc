#include "os/child_process.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <thread>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using test::kind_of;

namespace {

os::ChildResult shell(const std::string& script, os::ChildOptions options = {}) {
  options.arguments = {"/bin/sh", "-c", script};
  return os::run_child(background(), options);
}

}  // namespace

TEST_CASE("child process: it reads its input to the end and its outputs are kept apart") {
  const auto result = shell("cat; echo problem >&2; exit 3", {.input = std::string(200'000, 'x')});
  CHECK(result.out == std::string(200'000, 'x'));
  CHECK(result.err == "problem\n");
  CHECK(result.status == 3);
}

TEST_CASE("child process: it gets the given environment and no other") {
  const auto result = shell("echo $NAME-$HOME", {.environment = {{"NAME=value"}}});
  CHECK(result.out == "value-\n");
}

TEST_CASE("child process: a child that leaves its input unread is no error") {
  CHECK(shell("exit 0", {.input = std::string(1 << 20, 'x')}).status == 0);
}

TEST_CASE("child process: a program is looked up in the child's own PATH") {
  const test::Directory directory;
  directory.write("tool", "#!/bin/sh\necho found $1\n");
  std::filesystem::permissions(directory / "tool", std::filesystem::perms::owner_all);
  const os::ChildOptions options{.arguments = {"tool", "it"},
                                 .environment = {{"PATH=/nowhere::" + directory.str()}}};
  CHECK(os::run_child(background(), options).out == "found it\n");
}

TEST_CASE("child process: a program that is not there is not_found and named") {
  const auto error = test::error_of([] {
    os::run_child(background(), {.arguments = {"no-such-program"}, .environment = {{"PATH=/bin"}}});
  });
  CHECK(error.kind() == Kind::not_found);
  CHECK(error.message() == "exec: \"no-such-program\": executable file not found in $PATH");
}

TEST_CASE("child process: a signal that ends it gives 128 and its number") {
  CHECK(shell("kill -9 $$").status == 137);
}

TEST_CASE("child process: one that takes too long is killed") {
  CHECK(kind_of([] { shell("exec sleep 100", {.timeout = std::chrono::milliseconds(50)}); }) ==
        Kind::unavailable);
}

TEST_CASE("child process: one that writes without end is killed") {
  const auto error =
      test::error_of([] { shell("while :; do echo endless; done", {.output_limit = 10'000}); });
  CHECK(error.kind() == Kind::invalid_input);
  CHECK(error.message() == "/bin/sh: writes more than 10000 bytes");
}

TEST_CASE("child process: stopping the context ends the wait") {
  std::stop_source stop;
  const Context context = background().with_stop(stop.get_token());
  std::jthread later([&] { stop.request_stop(); });
  CHECK_THROWS_AS(os::run_child(context, {.arguments = {"/bin/sleep", "100"}}), Cancelled);
}

TEST_CASE("child process: a grandchild that keeps the outputs open is not waited for") {
  const auto result = shell("sleep 100 & echo $!", {.timeout = std::chrono::seconds(30)});
  const pid_t grandchild = std::stoi(result.out);
  CHECK(::kill(grandchild, SIGKILL) == 0);
}
