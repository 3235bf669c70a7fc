#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/error.hpp"
#include "common/builtin.hpp"
#include "common/command.hpp"

using namespace lade;
using namespace lade::common;
using Words = std::vector<std::string>;

namespace {

std::vector<Option> greet_options() {
  return {{.name = "name", .short_name = 'n', .kind = ValueKind::text, .help = "whom to greet"}};
}

int greet(Invocation& invocation) {
  const std::string name = invocation.flags.text("name");
  if (name == "nobody") throw Error(Kind::image_not_found, "nobody is there");
  if (name == "wait") invocation.context.clock.sleep(std::chrono::seconds(30), invocation.context.stop);
  if (name == "raise") {
    raise(SIGINT);
    invocation.context.clock.sleep(std::chrono::seconds(30), invocation.context.stop);
  }
  if (invocation.arguments.empty()) invocation.refuse_usage("Exactly one argument expected");
  invocation.out.line(name + " " + invocation.arguments[0] +
                      (invocation.flags.given("zone") ? " zoned" : ""));
  return 0;
}

const Command greet_command{.name = "greet",
                            .summary = "Greet somebody",
                            .description = "Greet somebody",
                            .synopsis = "[command options] WORD",
                            .example = "greet hello",
                            .options = greet_options,
                            .run = greet};

std::vector<Option> global_options() {
  return {{.name = "zone", .kind = ValueKind::text, .help = "where"}};
}

constexpr std::array commands = {&greet_command, &help_command, &version_command};

const Program program{.name = "tool",
                      .summary = "A tool",
                      .version_line = "tool version 7",
                      .user_agent = "tool/7",
                      .options = global_options,
                      .commands = commands};

// Standard output and standard error of a run, one after the other.
struct Outcome {
  int status;
  std::string text;
};

Outcome run(const Words& words) {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const int out = dup(1);
  const int err = dup(2);
  dup2(ends[1], 1);
  dup2(ends[1], 2);
  const int status = run_program(program, words);
  dup2(out, 1);
  dup2(err, 2);
  for (const int fd : {out, err, ends[1]}) close(fd);
  std::string text(65536, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(ends[0], text.data(), text.size()))));
  close(ends[0]);
  return {status, text};
}

bool has(const Outcome& outcome, std::string_view text) {
  return outcome.text.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("run: options of the program may stand on both sides of the command") {
  CHECK(run({"--zone=x", "greet", "-n", "me", "hello"}).text == "me hello zoned\n");
  CHECK(run({"greet", "hello", "--zone=x", "--name=me"}).text == "me hello zoned\n");
  CHECK(run({"greet", "hello", "-n", "me"}).text == "me hello\n");
}

TEST_CASE("run: --version and --help print and succeed") {
  CHECK(run({"--version"}).text == "tool version 7\n");
  CHECK(run({"-v", "bogus"}).text == "tool version 7\n");
  CHECK(run({"version"}).text == "tool version 7\n");
  CHECK(has(run({"--help"}), "greet     Greet somebody"));
  CHECK(has(run({"greet", "-h"}), "whom to greet"));
  CHECK(has(run({"help", "greet"}), "whom to greet"));
}

TEST_CASE("run: mistakes of use are fatal lines and exit 1") {
  CHECK(has(run({}),
            "level=fatal msg=\"Missing command 'tool COMMAND'\\nTry 'tool --help' for more information\""));
  CHECK(has(run({"bogus"}),
            "msg=\"Unrecognized command `tool bogus`\\nTry 'tool --help' for more information\""));
  CHECK(has(run({"gret"}), "Unrecognized command `tool gret`\\n\\nDid you mean this?\\n\\tgreet\\n\\nTry"));
  CHECK(has(run({"greet", "--bogus"}), "msg=\"unknown flag: --bogus\""));
  CHECK(has(run({"greet", "--version"}), "msg=\"unknown flag: --version\""));
  CHECK(run({"greet"}).status == 1);
}

TEST_CASE("run: an image that is not there exits 2") {
  const Outcome outcome = run({"greet", "-n", "nobody"});
  CHECK(outcome.status == 2);
  CHECK(has(outcome, "level=fatal msg=\"nobody is there\""));
}

TEST_CASE("run: --command-timeout ends a command that takes too long") {
  const Outcome outcome = run({"--command-timeout=20ms", "greet", "-n", "wait"});
  CHECK(outcome.status == 1);
  CHECK(has(outcome, "context deadline exceeded"));
}

TEST_CASE("run: a signal stops the command and exits 130 without a word") {
  const Outcome outcome = run({"greet", "-n", "raise"});
  CHECK(outcome.status == 130);
  CHECK(outcome.text.empty());
}

TEST_CASE("run: standard output that takes nothing is an error") {
  const int out = dup(1);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  dup2(full, 1);
  const int status = run_program(program, Words{"greet", "hello"});
  dup2(out, 1);
  close(full);
  close(out);
  CHECK(status == 1);
}
