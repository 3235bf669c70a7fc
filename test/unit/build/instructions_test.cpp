#include "build/instructions.hpp"

#include <doctest/doctest.h>

#include "build/builder.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::build;

namespace {

using WordList = std::vector<std::string>;

bool apply(Builder& builder, const std::string& text) {
  auto settings = builder.settings();
  return apply_instruction(settings, parse_instruction(text));
}

}  // namespace

TEST_CASE("instructions: each changes what it is about") {
  auto builder = Builder::make("c", std::string(64, '1'));
  for (const char* text : {"env A=1 B='x y'", "ENV C old form", "ENV D=$A-${B}$", "LABEL l=\"v w\"", "USER 5",
                           "WORKDIR /a", "WORKDIR b/", "EXPOSE 80 53/udp", "VOLUME [\"/v 1\"]", "VOLUME /v2 /v3",
                           "CMD echo $A", "ENTRYPOINT [\"/e\", \"x\"]", "STOPSIGNAL SIGINT", "ONBUILD RUN x",
                           "MAINTAINER me"})
    CHECK(apply(builder, text));
  auto settings = builder.settings();
  CHECK(settings.list("Env") == WordList{"A=1", "B=x y", "C=old form", "D=1-x y$"});
  CHECK(settings.labels()["l"] == "v w");
  CHECK(settings.text("User") == "5");
  CHECK(settings.text("WorkingDir") == "/a/b");
  CHECK(settings.set("ExposedPorts") == WordList{"53/udp", "80/tcp"});
  CHECK(settings.set("Volumes") == WordList{"/v 1", "/v2", "/v3"});
  CHECK(settings.list("Cmd") == WordList{"/bin/sh", "-c", "echo $A"});
  CHECK(settings.list("Entrypoint") == WordList{"/e", "x"});
  CHECK(settings.list("OnBuild") == WordList{"RUN x"});
  CHECK(settings.image_text("author") == "me");
  CHECK(apply(builder, "SHELL [\"/bin/bash\", \"-c\"]"));
  CHECK(apply(builder, "CMD x"));
  CHECK(settings.list("Cmd") == WordList{"/bin/bash", "-c", "x"});
}

TEST_CASE("instructions: what is none is refused") {
  auto builder = Builder::make("c", std::string(64, '1'));
  CHECK_FALSE(apply(builder, "RUN x"));
  CHECK(test::message_of([&] { apply(builder, "ENV A"); }) == "invalid instruction \"ENV A\": it needs a value");
  CHECK(test::message_of([&] { apply(builder, "ENV =x"); }) ==
        "invalid instruction \"ENV =x\": a name is missing");
  CHECK(test::message_of([&] { apply(builder, "EXPOSE http"); }) ==
        "invalid instruction \"EXPOSE http\": a port must be a number");
  CHECK(test::message_of([&] { apply(builder, "SHELL sh"); }) ==
        "invalid instruction \"SHELL sh\": it must be a JSON array");
  CHECK(test::message_of([&] { apply(builder, " "); }) == "an instruction is empty");
}
