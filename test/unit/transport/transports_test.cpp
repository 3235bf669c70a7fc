#include "transport/transports.hpp"

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

TEST_CASE("a name without a transport, or with one nobody knows, is refused in skopeo's words") {
  CHECK(message_of([] { parse_image_name("busybox"); }) ==
        "Invalid image name \"busybox\", expected colon-separated transport:reference");
  CHECK(message_of([] { parse_image_name("nothing:x"); }) ==
        "Invalid image name \"nothing:x\", unknown transport \"nothing\"");
}

TEST_CASE("every transport has its own name") {
  for (const auto* transport : transport::transports()) {
    CAPTURE(transport->name());
    const auto same = [&](const auto* other) { return other->name() == transport->name(); };
    CHECK(std::count_if(transport::transports().begin(), transport::transports().end(), same) == 1);
  }
}

TEST_CASE("what a transport cannot do is said in words") {
  const Directory directory;
  directory.write("layer.tar", "");
  const auto tarball = parse_image_name("tarball:" + (directory / "layer.tar").string());
  CHECK(message_of([&] { tarball->open_destination(background(), {}); }) ==
        "\"tarball:\" locations can only be read from, not written to");
  CHECK(message_of([&] { parse_image_name("dir:/tmp")->remove(background(), {}); }) ==
        "Deleting images not implemented for dir: images");
  CHECK(message_of([&] { parse_image_name("docker-archive:/tmp/x")->remove(background(), {}); }) ==
        "Deleting images not implemented for docker-archive: images");
}

TEST_CASE("policies know local images by their resolved paths and the directories above") {
  const Directory directory;
  std::filesystem::create_directory(directory / "real");
  std::filesystem::create_symlink("real", directory / "link");
  const std::string real = (directory / "real").string();
  const auto dir = parse_image_name("dir:" + (directory / "link/new").string());
  CHECK(dir->policy_identity() == real + "/new");
  CHECK(dir->policy_scopes().front() == real);
  CHECK(dir->policy_scopes().back() == "/tmp");
  const auto oci = parse_image_name("oci:" + (directory / "link/new").string() + ":name");
  CHECK(oci->policy_identity() == real + "/new");
  CHECK(oci->policy_scopes().front() == real + "/new");
}

TEST_CASE("a path whose directory is missing is refused when it is parsed") {
  for (const auto* name : {"dir:/missing/x/y", "oci:/missing/x/y", "oci-archive:/missing/x/y.tar"}) {
    CAPTURE(name);
    CHECK(kind_of([&] { parse_image_name(name); }) == Kind::not_found);
  }
}
