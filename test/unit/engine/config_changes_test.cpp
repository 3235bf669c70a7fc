#include "engine/config_changes.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

std::string changed(const std::vector<std::string>& changes) {
  return spec::dump_json(config_from_changes(changes));
}

std::string refusal(const std::string& change) {
  return test::message_of([&] { config_from_changes({change}); });
}

}  // namespace

TEST_CASE("--change: without any the configuration is empty") {
  CHECK(changed({}) == "{}");
}

TEST_CASE("--change: members are in Go's order, whatever that of the changes") {
  CHECK(changed({"LABEL a=\"b c\"", "workdir /a", "WORKDIR b", "VOLUME /v", "CMD [\"x\",\"y\"]", "ENV K=v=w",
                 "EXPOSE 53/udp", "EXPOSE 80", "USER me", "STOPSIGNAL SIGTERM"}) ==
        "{\"User\":\"me\",\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}},\"Env\":[\"K=v=w\"],\"Cmd\":[\"x\","
        "\"y\"],\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/a/b\",\"Labels\":{\"a\":\"b c\"},\"StopSignal\":"
        "\"15\"}");
}

TEST_CASE("--change: commands that are no lists are run by a shell") {
  CHECK(changed({"CMD echo hi"}) == "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo hi\"]}");
  CHECK(changed({"ENTRYPOINT echo hi"}) == "{\"Entrypoint\":[\"/bin/sh\",\"-c\",\"echo hi\"]}");
  CHECK(changed({"ENTRYPOINT=[\"a\"]"}) == "{\"Entrypoint\":[\"a\"]}");
}

TEST_CASE("--change: a mistake is told with the change") {
  CHECK(refusal("CMD") == "invalid change \"CMD\" - must be formatted as KEY VALUE");
  CHECK(refusal("RUN x") == "invalid change \"RUN x\" - invalid instruction RUN");
  CHECK(refusal("EXPOSE 0") == "invalid change \"EXPOSE 0\" - EXPOSE port must be a valid port number");
  CHECK(refusal("EXPOSE 1/sctp") == "invalid change \"EXPOSE 1/sctp\" - EXPOSE protocol must be TCP or UDP");
  CHECK(refusal("LABEL x") == "invalid change \"LABEL x\" - LABEL must be formatted key=value");
  CHECK(refusal("STOPSIGNAL NO").find("valid signal: invalid signal: NO") != std::string::npos);
  CHECK(refusal("ONBUILD x").find("an OCI image cannot hold ONBUILD") != std::string::npos);
}
