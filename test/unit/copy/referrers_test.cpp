#include <doctest/doctest.h>

#include "copy/fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// An image, a signature of it, and a time stamp of the signature.
struct ReferredImage {
  MemoryReference from{"a"}, to{"b"};
  copy::CopyOptions options;
  spec::Descriptor signature, timestamp;

  explicit ReferredImage(const std::string& signature_tag = "")
      : signature(add_manifest(*from.store, add_image(*from.store, {"signature"}))),
        timestamp(add_manifest(*from.store, add_image(*from.store, {"time stamp"}))) {
    set_top(*from.store, add_image(*from.store, {"one"}));
    const auto top = top_digest(from).str();
    auto content = from.store->lock();
    content->referrers[top] = {{signature, signature_tag}};
    content->referrers[signature.digest.str()] = {{timestamp, ""}};
    options.with_referrers = true;
  }
  void copy() const { run(from, to, options); }
};

}  // namespace

TEST_CASE("what refers to an image comes along, and what refers to that") {
  ReferredImage image;
  image.copy();
  {
    auto content = image.to.store->lock();
    CHECK(content->manifests.size() == 3);
    CHECK(content->manifests.contains(image.signature.digest.str()));
    CHECK(content->manifests.contains(image.timestamp.digest.str()));
    CHECK(content->blobs.contains(io::digest_of("time stamp").str()));
  }
  CHECK(top_digest(image.to) == top_digest(image.from));
}

TEST_CASE("without being asked for it does not") {
  ReferredImage image;
  image.options.with_referrers = false;
  image.copy();
  CHECK(image.to.store->lock()->manifests.size() == 1);
}

TEST_CASE("what refers to instances of a list comes along") {
  ReferredImage image;
  const auto list = add_list(*image.from.store, {"amd64", "arm64"});
  set_top(*image.from.store, list);
  const auto instance = spec::Index::parse(list.bytes, list.media_type).instances().at(1).digest.str();
  image.from.store->lock()->referrers[instance] = {{image.timestamp, ""}};
  image.options.instances = copy::CopyOptions::Instances::all;
  image.copy();
  CHECK(image.to.store->lock()->manifests.contains(image.timestamp.digest.str()));
}

TEST_CASE("a circle of referrers has an end") {
  ReferredImage image;
  image.from.store->lock()->referrers[image.timestamp.digest.str()] = {{image.signature, ""}};
  image.copy();
  CHECK(image.to.store->lock()->manifests.size() == 3);
}

TEST_CASE("an image that changes on its way cannot take along what refers to it") {
  ReferredImage image;
  image.options.manifest_type = types::docker_manifest;
  const std::string message = message_of([&] { image.copy(); });
  CHECK(message.starts_with("what refers to " + top_digest(image.from).str() + " cannot be copied with it"));
  CHECK(image.to.store->lock()->commits == 0);
  image.from.store->lock()->referrers.clear();
  image.copy();
  CHECK(image.to.store->lock()->commits == 1);
}

TEST_CASE("a referrer's own tag needs a destination that has room for it") {
  const ReferredImage image("sha256-abc.sig");
  CHECK(
      message_of([&] { image.copy(); }).ends_with("the destination cannot hold the tag \"sha256-abc.sig\""));
}
