#include "common/log_format.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

using namespace lade;
using namespace lade::common;
using namespace std::chrono_literals;

namespace {

std::string plain(std::string_view message) {
  setenv("TZ", "UTC", 1);
  tzset();
  const auto noon = std::chrono::system_clock::from_time_t(1795251684);
  return format_log_line(LogStyle::plain, noon, 0s, "fatal", message);
}

}  // namespace

TEST_CASE("log: a line in a file is logrus' text format") {
  CHECK(plain("it broke") == "time=\"2026-11-21T09:01:24Z\" level=fatal msg=\"it broke\"\n");
}

TEST_CASE("log: quotes are escaped, plain words are not quoted") {
  CHECK(plain("no \"x\"\n").find(R"(msg="no \"x\"\n")") != std::string::npos);
  CHECK(plain("word-1.2/3").find("msg=word-1.2/3\n") != std::string::npos);
}

TEST_CASE("log: on a terminal the level is four letters and the seconds since the start") {
  CHECK(format_log_line(LogStyle::terminal, {}, 12s, "warning", "slow\n") == "WARN[0012] slow\n");
  CHECK(format_log_line(LogStyle::coloured, {}, 0s, "fatal", "x") == "\x1b[31mFATA\x1b[0m[0000] x\n");
}

TEST_CASE("log: a logger keeps quiet below its threshold and hands lines to a sink") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  LogrusLogger logger(ends[1], LogStyle::terminal, Level::warning);
  logger.info("not this");
  std::string seen;
  logger.redirect([&](std::string_view line) { seen += line; });
  logger.warning("to the sink");
  logger.redirect(nullptr);
  logger.fatal("to the pipe");
  std::array<char, 64> buffer{};
  const auto count = static_cast<std::size_t>(read(ends[0], buffer.data(), buffer.size()));
  CHECK(seen == "WARN[0000] to the sink\n");
  CHECK(std::string_view(buffer.data(), count) == "FATA[0000] to the pipe\n");
  close(ends[0]);
  close(ends[1]);
}
