#include "common/help.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace lade::common;

namespace {

std::vector<Option> load_options() {
  return {{.name = "ship",
           .short_name = 's',
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "which *ship*"},
          {.name = "secret", .help = "not shown", .hidden = true},
          {.name = "weight", .kind = ValueKind::integer, .help = "how much", .group = "Limits"}};
}

const Command load{.name = "load",
                   .summary = "Load cargo",
                   .description = "Load cargo\n\nwith care",
                   .synopsis = "[command options] CARGO",
                   .example = "load a\nload b",
                   .options = load_options};
constexpr std::array commands = {&load};
const Program dock{
    .name = "dock", .summary = "At the dock", .version_line = "1", .user_agent = "", .commands = commands};

}  // namespace

TEST_CASE("help: a command's page") {
  CHECK(command_help(dock, load) == R"(Load cargo

with care

Usage:
dock load [command options] CARGO

Examples:
dock load a
dock load b

Flags:
  -h, --help         help for load
  -s, --ship PATH    which *ship*

Limits:
      --weight int   how much
)");
}

TEST_CASE("help: the program's page lists commands and global options") {
  const std::string page = program_help(dock);
  CHECK(page.find("Available Commands:\n  load   Load cargo\n") != std::string::npos);
  CHECK(page.find("--command-timeout duration") != std::string::npos);
}

TEST_CASE("help: the man page has the same options, escaped for scdoc") {
  const std::string page = man_options(dock, load);
  CHECK(page.find("*-s*, *--ship* _PATH_\n\twhich \\*ship\\*\n") != std::string::npos);
  CHECK(page.find("## Limits\n\n*--weight* _int_\n") != std::string::npos);
  CHECK(page.find("secret") == std::string::npos);
}
