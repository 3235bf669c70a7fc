#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/error.hpp"
#include "common/progress.hpp"
#include "common/progress_bars.hpp"
#include "common/progress_json.hpp"

using namespace lade;
using namespace lade::common;
using namespace std::chrono_literals;

namespace {

// A pipe whose reading end gives what was written so far.
class Pipe {
 public:
  Pipe() {
    REQUIRE(pipe(ends_.data()) == 0);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int fd() const { return ends_[1]; }
  std::string text() const {
    std::string all(65536, '\0');
    const ssize_t count = read(ends_[0], all.data(), all.size());
    all.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return all;
  }

 private:
  std::array<int, 2> ends_{};
};

std::string shown(ProgressMode mode) {
  const Pipe pipe;
  Output out(pipe.fd(), "pipe");
  LogrusLogger logger(pipe.fd(), LogStyle::terminal, Level::info);
  {
    const auto progress = make_progress(mode, out, logger);
    progress->step("Getting image source signatures");
    const auto transfer = progress->start("blob", "sha256:15ba6c1d46d35e32", 100);
    transfer->advance(100);
    transfer->finish(Transfer::Outcome::already_exists);
    logger.info("by the way");
  }
  return pipe.text();
}

}  // namespace

TEST_CASE("progress: plain lines are the peer's") {
  CHECK(shown(ProgressMode::plain) ==
        "Getting image source signatures\nCopying blob sha256:15ba6c1d46d35e32\nINFO[0000] by the way\n");
}

TEST_CASE("progress: none shows nothing") {
  CHECK(shown(ProgressMode::none) == "INFO[0000] by the way\n");
}

TEST_CASE("progress: bars leave one line for each finished transfer, and log lines among them") {
  const std::string text = shown(ProgressMode::bars);
  CHECK(text.find("Getting image source signatures\n") != std::string::npos);
  CHECK(text.find("Copying blob 15ba6c1d46d3 skipped: already exists\n") != std::string::npos);
  CHECK_FALSE(text.ends_with("\x1b[J"));
}

TEST_CASE("progress: a bar shows bytes, speed and time left within the terminal's width") {
  const Bar bar{"Copying blob 15ba6c1d46d3", 40 << 20, 10 << 20, 10s};
  const std::string line = render_bar(bar, 120);
  CHECK(line ==
        "Copying blob 15ba6c1d46d3 [=========>------------------------------] "
        "10.0MiB / 40.0MiB | 1.0MiB/s | 0:30 left");
  CHECK(render_bar(bar, 60).size() <= 60);
  CHECK(render_bar({"Copying blob x", std::nullopt, 2048, 0s}, 80) == "Copying blob x 2.0KiB");
}

TEST_CASE("progress: JSON tells of the start and of what became of it") {
  const Pipe pipe;
  JsonProgress progress(pipe.fd());
  progress.step("a \"step\"");
  progress.start("config", "sha256:ab", std::nullopt)->finish(Transfer::Outcome::done);
  progress.start("blob", "sha256:cd", 7);
  const std::string text = pipe.text();
  CHECK(text.starts_with("{\"event\":\"step\",\"message\":\"a \\\"step\\\"\"}\n"));
  CHECK(text.find(R"({"event":"start","kind":"config","digest":"sha256:ab","size":null})") !=
        std::string::npos);
  CHECK(text.find(R"({"event":"done","digest":"sha256:ab","bytes":0,)") != std::string::npos);
  CHECK(text.find(R"({"event":"failed","digest":"sha256:cd","bytes":0,)") != std::string::npos);
}

TEST_CASE("progress: auto is plain where there is no terminal, and unknown words are refused") {
  const Pipe pipe;
  const Output out(pipe.fd(), "pipe");
  CHECK(parse_progress_mode("auto", out) == ProgressMode::plain);
  CHECK(parse_progress_mode("json", out) == ProgressMode::json);
  CHECK_THROWS_AS(parse_progress_mode("loud", out), Error);
}
