// Expected texts are what skopeo 1.22 prints for the same templates.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "common/report.hpp"
#include "common/template/evaluate.hpp"

using namespace lade;
using namespace lade::common;
using gotemplate::GoField;
using gotemplate::GoType;
using gotemplate::Shape;
using gotemplate::Value;

namespace {

constexpr GoType digest_type{Shape::string, "digest.Digest"};
constexpr GoField layer_fields[] = {{"Size", "Size", &gotemplate::integer_type},
                                    {"Annotations", "Annotations", &gotemplate::string_map_type}};
constexpr GoType layer_type{Shape::structure, "types.Layer", nullptr, layer_fields};
constexpr GoType layers_type{Shape::list, "[]types.Layer", &layer_type};
constexpr GoField platform_fields[] = {{"Architecture", "Architecture", &gotemplate::string_type},
                                       {"Os", "Os", &gotemplate::string_type}};
constexpr GoType platform_type{Shape::structure, "v1.Platform", nullptr, platform_fields};
constexpr GoField image_fields[] = {{"Name", "Name", &gotemplate::string_type},
                                    {"Digest", "Digest", &digest_type},
                                    {"Created", "Created", &gotemplate::time_type},
                                    {"Labels", "Labels", &gotemplate::string_map_type},
                                    {"Platform", "", &platform_type},
                                    {"Layers", "Layers", &gotemplate::strings_type},
                                    {"LayersData", "LayersData", &layers_type},
                                    {"Env", "Env", &gotemplate::strings_type}};
constexpr GoType image_type{Shape::structure, "interface {}", nullptr, image_fields};

Value image() {
  return Value(spec::Json::parse(
                   R"({"Digest":"sha256:97","Created":"2026-11-21T09:01:50.2Z","Labels":{"b":"2","a":"1"},
    "Architecture":"amd64","Os":"linux","Layers":["sha256:1","sha256:2"],
    "LayersData":[{"Size":10240,"Annotations":null}],"Env":null})"),
               image_type);
}

std::string show(std::string_view text) {
  try {
    return gotemplate::render("t", text, image());
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("template: Go's ways to print values") {
  CHECK(show("{{.Digest}} {{.Created}}") == "sha256:97 2026-11-21 09:01:50.2 +0000 UTC");
  CHECK(show("{{.Labels}} {{.Layers}} {{.Env}}") == "map[a:1 b:2] [sha256:1 sha256:2] []");
  CHECK(show("{{.LayersData}}") == "[{10240 map[]}]");
  CHECK(show("{{.}}") ==
        "{ sha256:97 2026-11-21 09:01:50.2 +0000 UTC map[a:1 b:2] {amd64 linux} "
        "[sha256:1 sha256:2] [{10240 map[]}] []}");
  CHECK(show("{{.Name}}|{{.Os}}|{{.Platform}}") == "|linux|{amd64 linux}");
}

TEST_CASE("template: missing fields of structures fail, missing keys of maps do not") {
  CHECK(show("{{.Foo}}") ==
        "template: t:1:2: executing \"t\" at <.Foo>: can't evaluate field Foo in type interface {}");
  CHECK(show("{{.Os.Foo}}") ==
        "template: t:1:5: executing \"t\" at <.Os.Foo>: can't evaluate field Foo in type string");
  CHECK(show("{{.Layers.Foo}}") ==
        "template: t:1:9: executing \"t\" at <.Layers.Foo>: can't evaluate field Foo in type []string");
  CHECK(show("[{{.Labels.zz}}][{{index .Labels \"zz\"}}]") == "[][]");
  CHECK(gotemplate::render("t", "{{.a}} {{.b}} {{.c}}", Value(spec::Json::parse(R"({"a":null,"c":1.5})"))) ==
        "<no value> <no value> 1.5");
}

TEST_CASE("template: if, else if, with and range") {
  CHECK(show("{{if .Env}}a{{else if .Os}}b{{else}}c{{end}}") == "b");
  CHECK(show("{{with .Env}}x{{else}}{{.Os}}{{end}}{{with .Os}}{{.}}{{end}}") == "linuxlinux");
  CHECK(show("{{with .Env}}x{{else with .Os}}{{.}}{{end}}") == "linux");
  CHECK(show("{{range $i, $e := .Layers}}{{if $i}},{{end}}{{$i}}={{$e}}{{end}}") == "0=sha256:1,1=sha256:2");
  CHECK(show("{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}") == "a1b2");
  CHECK(show("{{range .Env}}x{{else}}none{{end}} {{range 3}}{{.}}{{end}}") == "none 012");
  CHECK(show("{{range .Layers}}{{.}}{{break}}{{end}} {{range .Layers}}{{continue}}x{{end}}") == "sha256:1 ");
}

TEST_CASE("template: variables, assignment and the data as $") {
  CHECK(show("{{$x := 1}}{{$x = 2}}{{$x}} {{$.Os}}") == "2 linux");
  CHECK(show("{{range .Layers}}{{$.Os}}{{end}}") == "linuxlinux");
  CHECK(show("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}") == "21");
  CHECK(show("{{if true}}{{$x := 2}}{{end}}{{$x}}") == "template: t:1: undefined variable \"$x\"");
}

TEST_CASE("template: pipelines and parentheses") {
  CHECK(show("{{.Os | upper | printf \"%10s|\"}}") == "     LINUX|");
  CHECK(show("{{(index .LayersData 0).Size}} {{(len .Layers) | printf \"%d\"}}") == "10240 2");
  CHECK(show("{{if eq .Os \"linux\" | not}}a{{else}}b{{end}}") == "b");
}

TEST_CASE("template: comparison and logic") {
  CHECK(show("{{eq .Os \"linux\"}} {{eq 1 2 1}} {{ne .Os \"x\"}} {{lt 1 2}} {{ge 2 3}}") ==
        "true true true true false");
  CHECK(show("{{and .Os 0}} {{or \"\" 0 \"x\"}} {{not .Os}} {{and 1}}") == "0 x false 1");
  CHECK(show("{{eq .Env nil}}") == "true");
  CHECK(show("{{eq .Os 3}}") ==
        "template: t:1:2: executing \"t\" at <eq .Os 3>: error calling eq: "
        "incompatible types for comparison: string and int");
  CHECK(show("{{and}}") ==
        "template: t:1:2: executing \"t\" at <and>: wrong number of args for and: want at least 1 got 0");
}

TEST_CASE("template: index, len and slice") {
  CHECK(show("{{index .Layers 1}} {{len .Layers}} {{slice .Os 1 2}} {{slice .Layers 0 1}}") ==
        "sha256:2 2 i [sha256:1]");
  CHECK(show("{{index .Layers 9}}") ==
        "template: t:1:2: executing \"t\" at <index .Layers 9>: error calling index: index out of range: 9");
  CHECK(show("{{index .Labels 3}}") ==
        "template: t:1:2: executing \"t\" at <index .Labels 3>: error calling index: "
        "value has type int; should be string");
  CHECK(show("{{len 3}}") ==
        "template: t:1:2: executing \"t\" at <len 3>: error calling len: len of type int");
}

TEST_CASE("template: the report package's functions") {
  CHECK(
      show("{{join .Layers \",\"}} {{lower \"ABC\"}} {{title \"hello world\"}} {{truncate \"abcdef\" 3}}") ==
      "sha256:1,sha256:2 abc Hello World abc");
  CHECK(show("{{pad \"x\" 1 2}}|{{pad \"\" 1 2}}|{{split .Os \"n\"}}") == " x  ||[li ux]");
  CHECK(show("{{json .Labels}} {{json .Env}} {{json \"a<b\"}}") == "{\"b\":\"2\",\"a\":\"1\"} null \"a<b\"");
  CHECK(show("{{upper 3}}").find("wrong type for value; expected string; got int") != std::string::npos);
  CHECK(show("{{truncate .Digest 8}}") ==
        "template: t:1:11: executing \"t\" at <.Digest>: wrong type for value; "
        "expected string; got digest.Digest");
}

TEST_CASE("template: printf's verbs and complaints") {
  CHECK(show("{{printf \"%v %T %x %5d|%-5d|%05d %t %q %c %U %e %.2f %%\" .Env .Os \"hi\" 3 3 3 true 65 65 65 "
             "1.5 1.234}}") == "[] string 6869     3|3    |00003 true 'A' A U+0041 1.500000e+00 1.23 %");
  CHECK(show("{{printf \"%08.3f|%+d|%*d|%-*d|\" 3.14159 5 4 1 4 1}}") == "0003.142|+5|   1|1   |");
  CHECK(show("{{printf \"%d\" \"x\"}} {{printf \"%s\" 3}} {{printf \"%s\"}} {{printf \"%d\" 1 2}} {{printf "
             "\"%z\" 1}}") == "%!d(string=x) %!s(int=3) %!s(MISSING) 1%!(EXTRA int=2) %!z(int=1)");
  CHECK(show("{{print 1 2 \"a\" \"b\" 3}} {{println .Os 1}}") == "1 2ab3 linux 1\n");
  CHECK(show("{{print 1.0 2.5 true}} {{1.5}} {{1e3}} {{0x10}} {{1_000}} {{-3}} {{'a'}}") ==
        "1 2.5 true 1.5 1000 16 1000 -3 97");
}

TEST_CASE("template: letters of all scripts change their case") {
  CHECK(show("{{upper \"\u00e9\u03b1\"}} {{lower \"\u00c9\"}} {{title \"\u00e9t\u00e9\"}} {{upper "
             "\"\\xff\"}}") == "\u00c9\u0391 \u00e9 \u00c9t\u00e9 \xff");
}

TEST_CASE("template: trim markers and comments") {
  CHECK(show("a  {{- .Os -}}  b") == "alinuxb");
  CHECK(show("a{{/* c */}}b {{- /* d */ -}} c") == "abc");
  CHECK(show("{{.Os}} }}") == "linux }}");
  CHECK(show("{{\"\\x41\\101\"}}{{.Os | }}") == "AAlinux");
  CHECK(show("{{\"\\u00e9\\t\"}}{{`a\\n`}}") == "\u00e9\ta\\n");
}

TEST_CASE("template: what cannot be parsed is named") {
  CHECK(show("{{\"a}}") == "template: t:1: unterminated quoted string");
  CHECK(show("{{.Os}") == "template: t:1: bad character U+007D '}'");
  CHECK(show("x\n{{foo .Os}}") == "template: t:2: function \"foo\" not defined");
  CHECK(show("{{if}}") == "template: t:1: missing value for if");
  CHECK(show("{{end}}") == "template: t:1: unexpected {{end}}");
  CHECK(show("{{range .Layers}}") == "template: t:1: unexpected EOF");
  CHECK(show("{{.Os.}}") == "template: t:1: unexpected <.> in operand");
  CHECK(show("{{.Os") == "template: t:1: unclosed action");
  CHECK(show("{{nil}}") == "template: t:1:2: executing \"t\" at <nil>: nil is not a command");
  CHECK(show("{{1 2}}") == "template: t:1:2: executing \"t\" at <1>: can't give argument to non-function 1");
  CHECK(show("{{.Os \"x\"}}") ==
        "template: t:1:2: executing \"t\" at <.Os>: Os has arguments but cannot be invoked as function");
  CHECK(show("{{template \"x\"}}").find("unexpected <template>") != std::string::npos);
}

TEST_CASE("template: depth and work are bounded") {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "{{if 1}}";
  CHECK(show(deep).find("max expression depth exceeded") != std::string::npos);
  CHECK(show("{{" + std::string(5000, '(') + "1" + std::string(5000, ')') + "}}")
            .find("max expression depth exceeded") != std::string::npos);
  CHECK(show("{{range 100000}}{{range 100000}}{{end}}{{end}}") == "the template takes too many steps");
  CHECK(show("{{range 10000}}{{printf \"%10000d\" 1}}{{end}}") == "the template's output is too long");
}

TEST_CASE("template: data that is not what its type says does no harm") {
  const Value odd(
      spec::Json::parse(R"({"Labels":[1],"Layers":"x","LayersData":[3],"Created":4,"Digest":{"a":1}})"),
      image_type);
  CHECK(gotemplate::render("t", "{{.Labels}} {{.Layers}} {{.LayersData}} {{.Created}} {{.Digest}}", odd) ==
        "[1] x [3] 4 map[a:1]");
}
