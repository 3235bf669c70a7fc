#include "runtime/tail.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "runtime/plan.hpp"

using namespace lade;
using namespace lade::runtime;

namespace {

struct TailResult {
  int status = 0;
  std::string out{};
  std::optional<TailReport> report{};
};

// Executes the program in a child with a pipe for its output and a socket for its report.
TailResult execute_tail(const std::function<void(Tail&, int out)>& build) {
  int out[2], pair[2];
  REQUIRE(::pipe(out) == 0);
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
  Tail tail;
  build(tail, out[1]);
  const auto program = tail_program(tail.place(tail_base(), pair[1]));
  const int file = ::memfd_create("tail", 0);
  REQUIRE(::write(file, program.data(), program.size()) == static_cast<ssize_t>(program.size()));
  const pid_t pid = ::fork();
  if (pid == 0) {
    char name[] = "tail";
    char* arguments[] = {name, nullptr};
    char* none[] = {nullptr};
    ::syscall(SYS_execveat, file, "", arguments, none, AT_EMPTY_PATH);
    ::_exit(99);
  }
  ::close(out[1]);
  ::close(pair[1]);
  TailResult result;
  char buffer[256];
  for (ssize_t got = 0; (got = ::read(out[0], buffer, sizeof buffer)) > 0;)
    result.out.append(buffer, static_cast<std::size_t>(got));
  TailReport report{};
  if (::recv(pair[0], &report, sizeof report, 0) == static_cast<ssize_t>(sizeof report))
    result.report = report;
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  for (const int fd : {out[0], pair[0], file}) ::close(fd);
  return result;
}

}  // namespace

TEST_CASE("the calls of a tail are made in order by a program of its own") {
  if (tail_base() == 0) return;
  const TailResult result = execute_tail([](Tail& tail, int out) {
    const auto write = [&](std::string_view text) {
      tail.call(SYS_write,
                {static_cast<std::uint64_t>(out), Tail::Argument::at(tail.add_string(text)), text.size()},
                "write");
    };
    write("one ");
    tail.call(SYS_openat,
              {static_cast<std::uint64_t>(AT_FDCWD), Tail::Argument::at(tail.add_string("/nowhere")), 0},
              "open", TailCall::ignore_error);
    write("two");
    tail.call(SYS_exit_group, {7}, "exit");
  });
  CHECK(result.out == "one two");
  CHECK(result.status == 7);
  CHECK_FALSE(result.report.has_value());
}

TEST_CASE("a call that fails is reported with its stage and errno") {
  if (tail_base() == 0) return;
  const TailResult result = execute_tail([](Tail& tail, int) {
    tail.call(SYS_getpid, {}, "first");
    tail.call(SYS_close, {9999}, "second");
  });
  REQUIRE(result.report.has_value());
  CHECK(result.report->stage == 1);
  CHECK(result.report->error == EBADF);
  CHECK(result.status == 1);
}

TEST_CASE("results are handed to the call that follows") {
  if (tail_base() == 0) return;
  const TailResult result = execute_tail([](Tail& tail, int out) {
    tail.call(SYS_dup, {static_cast<std::uint64_t>(out)}, "dup");
    tail.pass_result();
    tail.call(SYS_write, {0, Tail::Argument::at(tail.add_string("ok")), 2}, "write");
    tail.call(SYS_exit_group, {0}, "exit");
  });
  CHECK(result.out == "ok");
}

TEST_CASE("execve gets its arguments, and 127 tells that there is no program") {
  if (tail_base() == 0) return;
  const auto execute = [](const char* path) {
    return [path](Tail& tail, int out) {
      const std::vector<std::string> arguments = {"sh", "-c", "echo $X"}, environment = {"X=value"};
      tail.call(SYS_dup2, {static_cast<std::uint64_t>(out), 1}, "dup2", TailCall::ignore_error);
      tail.call(SYS_close, {static_cast<std::uint64_t>(out)}, "close");
      tail.call(SYS_execve,
                {Tail::Argument::at(tail.add_string(path)), Tail::Argument::at(tail.add_strings(arguments)),
                 Tail::Argument::at(tail.add_strings(environment))},
                "execve", TailCall::execute);
    };
  };
  CHECK(execute_tail(execute("/bin/sh")).out == "value\n");
  CHECK(execute_tail(execute("/nowhere")).status == 127);
}

TEST_CASE("limits are kept within what this process may set") {
  Process process;
  process.args = {"sh"};
  process.rlimits = {{"RLIMIT_NOFILE", 5000, 4000}};
  Host host;
  host.limits[7] = {1024, 2048};
  std::vector<std::string> warnings;
  plan_tail(process, {}, host, {"/bin/sh"}, {}, warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("RLIMIT_NOFILE is kept at 2048") != std::string::npos);
}

TEST_CASE("a process that contradicts itself is refused") {
  Host host;
  std::vector<std::string> warnings;
  const auto refused = [&](const std::function<void(Process&)>& change, const TailOptions& options = {}) {
    Process process;
    process.args = {"sh"};
    change(process);
    CHECK_THROWS_AS(plan_tail(process, {}, host, {}, options, warnings), Error);
  };
  refused([](Process& p) { p.rlimits = {{"RLIMIT_X", 1, 1}}; });
  refused([](Process& p) { p.rlimits = {{"RLIMIT_CORE", 0, 0}, {"RLIMIT_CORE", 0, 0}}; });
  refused([](Process& p) { p.io_priority = IoPriority{"IOPRIO_CLASS_BE", 9}; });
  refused([](Process& p) { p.scheduler = Scheduler{"SCHED_X"}; });
  TailOptions no_groups;
  no_groups.setgroups_allowed = false;
  refused([](Process& p) { p.user.additional_gids = {5}; }, no_groups);
}

TEST_CASE("capabilities that cannot be had are told and left out") {
  Process process;
  process.args = {"sh"};
  process.capabilities = Capabilities{{"CAP_CHOWN", "CAP_BOGUS"}, {}, {}, {}, {}};
  std::vector<std::string> warnings;
  plan_tail(process, {}, Host{}, {}, {}, warnings);
  CHECK(warnings == std::vector<std::string>{"process.capabilities.bounding: CAP_CHOWN cannot be granted",
                                             "process.capabilities.bounding: unknown capability CAP_BOGUS"});
}
