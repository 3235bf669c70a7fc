#include "common/completion.hpp"

#include <doctest/doctest.h>

#include <array>

#include "base/error.hpp"

using namespace lade;
using namespace lade::common;
using Words = std::vector<std::string>;

namespace {

std::vector<Option> copy_options() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .help = "type",
           .choices = {"oci", "v2s2"}},
          {.name = "all", .help = "everything"},
          {.name = "authfile", .kind = ValueKind::text, .help = "a file"},
          {.name = "sign-by", .kind = ValueKind::text, .unavailable = "no"}};
}

const Command copy{.name = "copy",
                   .summary = "Copy an image",
                   .description = "",
                   .synopsis = "",
                   .example = "",
                   .argument = ArgumentHint::image,
                   .options = copy_options};
const Command hidden{
    .name = "__x", .summary = "", .description = "", .synopsis = "", .example = "", .hidden = true};
constexpr std::array commands = {&copy, &hidden};
const Program program{.name = "lade",
                      .summary = "",
                      .version_line = "",
                      .user_agent = "",
                      .commands = commands,
                      .transports = {"dir", "docker"}};

}  // namespace

TEST_CASE("completion: commands, without the hidden ones") {
  CHECK(complete(program, Words{"c"}) == "copy\tCopy an image\n:end\n");
  CHECK(complete(program, Words{"__"}) == ":end\n");
  CHECK(complete(program, Words{}) == "copy\tCopy an image\n:end\n");
}

TEST_CASE("completion: options of the command and of the program, without those that cannot be had") {
  CHECK(complete(program, Words{"copy", "--a"}) == "--all\teverything\n--authfile\ta file\n:end\n");
  CHECK(complete(program, Words{"copy", "--debu"}).starts_with("--debug\t"));
  CHECK(complete(program, Words{"copy", "--sign"}) == ":end\n");
}

TEST_CASE("completion: values of an option") {
  CHECK(complete(program, Words{"copy", "-f", "o"}) == "oci\ttype\n:end\n");
  CHECK(complete(program, Words{"copy", "--format=v"}) == "--format=v2s2\ttype\n:end\n");
  CHECK(complete(program, Words{"copy", "--authfile", ""}) == ":files\n");
}

TEST_CASE("completion: transports, then files") {
  CHECK(complete(program, Words{"copy", "--all", "d"}) == "dir:\t\ndocker://\t\n:nospace\n");
  CHECK(complete(program, Words{"copy", "dir:/t"}) == ":files\n");
}

TEST_CASE("completion: a script for each shell, and no other") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    const std::string script = completion_script("lade", shell);
    CHECK(script.find("lade") != std::string::npos);
    CHECK(script.find("NAME") == std::string::npos);
  }
  CHECK_THROWS_AS(completion_script("lade", "tcsh"), Error);
}
