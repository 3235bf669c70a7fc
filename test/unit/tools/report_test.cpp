#include "common/report.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"

using namespace lade;
using namespace lade::common;
using gotemplate::Value;

namespace {

std::string show(std::string_view format) {
  return render_report("skopeo inspect", format,
                       Value(spec::Json::parse(R"({"Os":"linux","Arch":"amd64","Layers":["a","b"]})")));
}

}  // namespace

TEST_CASE("report: one newline at the end, escapes are undone") {
  CHECK(show("{{.Os}}") == "linux\n");
  CHECK(show("{{.Os}}\\n") == "linux\n");
  CHECK(show("a\\nb\\tc") == "a\nb\tc\n");
  CHECK(show("{{.Os}}\n\n") == "linux\n\n");
}

TEST_CASE("report: an escape inside a string literal is left to the template") {
  CHECK(show("{{range .Layers}}{{.}}{{\"\\n\"}}{{end}}") == "a\nb\n");
  CHECK(show("a{{\"\\n\"}}x") == "a\nx");
}

TEST_CASE("report: table makes columns of tabs and blanks") {
  CHECK(show("table {{.Os}} {{.Arch}}") == "linux       amd64\n");
  CHECK(show("table {{.Os}}\\t{{.Os}}\\n{{.Arch}}") == "linux       linux\namd64\n");
  CHECK(show("TABLE {{.Os}}") == "TABLE linux\n");
}

TEST_CASE("report: json alone asks for JSON") {
  CHECK(is_json_format(" json "));
  CHECK_FALSE(is_json_format("{{json .}}"));
  CHECK_FALSE(is_json_format(""));
  CHECK(show("{{json .}}") == "{\"Os\":\"linux\",\"Arch\":\"amd64\",\"Layers\":[\"a\",\"b\"]}\n");
}

TEST_CASE("report: messages count columns as the report package does") {
  CHECK_THROWS_WITH(show("{{index .Layers 9}}"),
                    "template: skopeo inspect:1:13: executing \"skopeo inspect\" at <index .Layers 9>: "
                    "error calling index: index out of range: 9");
}

TEST_CASE("align_columns: each run of lines has its own widths") {
  CHECK(align_columns("a\tb\nlonger than twelve\tc\n\nx\ty\n") ==
        "a                   b\nlonger than twelve  c\n\nx           y\n");
}
