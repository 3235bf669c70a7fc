#include "config/registries_d.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using config::RegistriesD;

namespace {

RegistriesD parse_d(const std::string& text) {
  RegistriesD result;
  result.add(text, "f.yaml");
  return result;
}

const std::vector<std::string> image{"a.test/ns/r:1", "a.test/ns/r", "a.test/ns", "a.test", "*.test"};

}  // namespace

TEST_CASE("registries.d: the most specific namespace that has a setting decides on it") {
  const auto conf = parse_d(
      "default-docker: {lookaside: 'https://d.test', use-sigstore-attachments: true}\n"
      "docker:\n"
      "  a.test: {lookaside: 'https://host.test'}\n"
      "  a.test/ns:\n"
      "    lookaside-staging: file:///staging\n"
      "  '*.test': {lookaside: 'https://wild.test', use-sigstore-attachments: false}\n");
  CHECK(conf.lookaside(image).value == "https://host.test");
  CHECK(conf.lookaside_for_writing(image).value == "file:///staging");
  CHECK(conf.use_sigstore_attachments(image).value == "false");
  CHECK(conf.lookaside({"b.example/r:1", "b.example/r", "b.example"}).value == "https://d.test");
  const auto staging = conf.lookaside_for_writing(image);
  CHECK(staging.file == "f.yaml");
  CHECK(staging.line == 5);
  CHECK(staging.key == "docker.\"a.test/ns\".lookaside-staging");
}

TEST_CASE("registries.d: the old names still work, the new ones win") {
  CHECK(parse_d("docker: {a.test: {sigstore: 'file:///x'}}").lookaside(image).value == "file:///x");
  const auto both = parse_d("docker: {a.test: {sigstore: 'file:///x', lookaside: 'file:///y'}}");
  CHECK(both.lookaside(image).value == "file:///y");
  CHECK(both.lookaside_for_writing(image).value == "file:///y");
}

TEST_CASE("registries.d: without a setting there is the built-in lookaside and no attachments") {
  const auto conf = parse_d("# only comments\n");
  CHECK(conf.lookaside(image).value == "file:///var/lib/containers/sigstore");
  CHECK(conf.lookaside(image).key == "");
  CHECK(conf.use_sigstore_attachments(image).value == "false");
}

TEST_CASE("registries.d: what is not understood is an error with file, line and key") {
  const auto message = [](const std::string& text) { return test::message_of([&] { parse_d(text); }); };
  CHECK(message("docker:\n  a.test:\n    lokaside: x\n") == "f.yaml:3: docker.a.test.lokaside: unknown key");
  CHECK(message("dockers: {}\n") == "f.yaml:1: dockers: unknown key");
  CHECK(message("docker:\n  a.test: {}\n  a.test: {}\n") == "f.yaml:3: docker.a.test: is there twice");
  CHECK(message("docker:\n- a\n") == "f.yaml:2: docker is not a mapping");
  CHECK(message("docker: {a.test: {lookaside: [x]}}") ==
        "f.yaml:1: docker.a.test.lookaside: must be a string");
  CHECK(message("default-docker:\n  use-sigstore-attachments: maybe\n") ==
        "f.yaml:2: default-docker.use-sigstore-attachments: must be true or false");
  CHECK(message("default-docker: {lookaside: 'https://me:secret@a.test/x'}") ==
        "f.yaml:1: default-docker.lookaside: credentials in a URL are not supported");
  CHECK(message("docker: {").starts_with("f.yaml:1: "));
}

TEST_CASE("registries.d: a namespace in two files is an error") {
  auto conf = parse_d("docker: {a.test: {lookaside: 'file:///x'}}");
  CHECK(test::message_of([&] { conf.add("docker: {a.test: }", "g.yaml"); }) ==
        "Error parsing signature storage configuration: \"docker\" namespace \"a.test\" defined both in "
        "\"f.yaml\" and \"g.yaml\"");
}

TEST_CASE("registries.d: a user's directory hides the system's, and a named one both") {
  const test::Directory directory;
  const config::Environment environment{{}, directory / "home", 1000, directory / "root"};
  CHECK(RegistriesD::load(environment, "").lookaside(image).value ==
        "file://" + (directory / "home/.local/share/containers/sigstore").string());
  directory.write("root/etc/containers/registries.d/a.yaml", "default-docker: {lookaside: 'file:///etc'}");
  directory.write("root/etc/containers/registries.d/README", "not: [yaml");
  CHECK(RegistriesD::load(environment, "").lookaside(image).value == "file:///etc");
  directory.write("home/.config/containers/registries.d/b.yaml",
                  "default-docker: {lookaside: 'file:///home'}");
  CHECK(RegistriesD::load(environment, "").lookaside(image).value == "file:///home");
  directory.write("named/c.yaml", "default-docker: {lookaside: 'file:///named'}");
  CHECK(RegistriesD::load(environment, (directory / "named").string()).lookaside(image).value ==
        "file:///named");
}
