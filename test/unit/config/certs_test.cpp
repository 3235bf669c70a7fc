#include "config/certs.hpp"

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

TEST_CASE("certs: without a directory for the host there are none") {
  CHECK(find_certs(test::Machine().environment, "h:5000", "") == CertFiles{});
}

TEST_CASE("certs: the user's directory wins over those of the system") {
  const test::Machine machine;
  const std::string host = "certs.d/localhost:5000/";
  const auto found = [&] { return find_certs(machine.environment, "localhost:5000", "").ca_dir; };
  machine.write("root/etc/docker/" + host + "ca.crt", "");
  CHECK(found() == machine.path("root/etc/docker/certs.d/localhost:5000"));
  machine.write("root/etc/containers/" + host + "ca.crt", "");
  CHECK(found() == machine.path("root/etc/containers/certs.d/localhost:5000"));
  machine.write("home/.config/containers/" + host + "ca.crt", "");
  CHECK(found() == machine.path("home/.config/containers/certs.d/localhost:5000"));
}

TEST_CASE("certs: a directory from the command line wins over all others") {
  const test::Machine machine;
  machine.write("mine/client.cert", "");
  machine.write("mine/client.key", "");
  machine.write("home/.config/containers/certs.d/h/ca.crt", "");
  const auto certs = find_certs(machine.environment, "h", machine.path("mine"));
  CHECK(certs == CertFiles{"", machine.path("mine/client.cert"), machine.path("mine/client.key")});
}

TEST_CASE("certs: of several client certificates the first by name is used") {
  const test::Machine machine;
  for (const auto* name : {"b.cert", "b.key", "a.cert", "a.key"}) machine.write(std::string("d/") + name, "");
  CHECK(find_certs(machine.environment, "h", machine.path("d")).client_key == machine.path("d/a.key"));
}

TEST_CASE("certs: a client certificate needs its key") {
  const test::Machine machine;
  machine.write("d/client.cert", "");
  CHECK(test::message_of([&] { find_certs(machine.environment, "h", machine.path("d")); }) ==
        "missing key client.key for client certificate client.cert. Note that CA certificates should use the "
        "extension .crt");
}

TEST_CASE("certs: a key needs its client certificate") {
  const test::Machine machine;
  machine.write("d/client.key", "");
  CHECK(test::message_of([&] { find_certs(machine.environment, "h", machine.path("d")); }) ==
        "missing client certificate client.cert for key client.key");
}

TEST_CASE("certs: a directory that is not there holds no certificates") {
  CHECK(find_certs(test::Machine().environment, "h", "/nonexistent") == CertFiles{});
}
