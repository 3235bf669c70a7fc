#include <doctest/doctest.h>

#include "copy/fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using Instances = copy::CopyOptions::Instances;
using Signatures = std::map<std::string, std::vector<std::string>>;

namespace {

struct SignedImage {
  MemoryReference from{"a"}, to{"b"};
  copy::CopyOptions options;

  explicit SignedImage(transport::DestinationTraits traits = {}) : to("b", std::move(traits)) {
    set_top(*from.store, add_image(*from.store, {"one"}));
    from.store->lock()->signatures[""] = {"first", "second"};
  }
  void copy() const { run(from, to, options); }
};

struct SignedList {
  MemoryReference from{"a"}, to{"b"};
  copy::CopyOptions options;
  std::string instance;  // digest of the signed one

  explicit SignedList(bool list_too, transport::DestinationTraits traits = {}) : to("b", std::move(traits)) {
    const auto list = add_list(*from.store, {"amd64", "arm64"});
    set_top(*from.store, list);
    instance = spec::Index::parse(list.bytes, list.media_type).instances().at(1).digest.str();
    auto content = from.store->lock();
    content->signatures[instance] = {"of arm64"};
    if (list_too) content->signatures[""] = {"of the list"};
    options.instances = Instances::all;
  }
  void copy() const { run(from, to, options); }
};

Signatures signatures_in(const MemoryReference& reference) {
  return reference.store->lock()->signatures;
}

}  // namespace

TEST_CASE("signatures come along, in their order") {
  const SignedImage image;
  image.copy();
  CHECK(signatures_in(image.to) == Signatures{{"", {"first", "second"}}});
}

TEST_CASE("signatures that the destination cannot hold stop the copy before anything is written") {
  transport::DestinationTraits traits;
  traits.why_no_signatures = "no room";
  SignedImage image(traits);
  image.to.store->lock()->takes_signatures = false;
  CHECK(message_of([&] { image.copy(); }) == "Can not copy signatures to memory:b: no room");
  CHECK(image.to.store->lock()->blobs.empty());

  image.options.remove_signatures = true;
  image.copy();
  CHECK(top_digest(image.to) == top_digest(image.from));
  CHECK(signatures_in(image.to).empty());
}

TEST_CASE("a signed image is not converted unless its signatures are removed") {
  SignedImage image;
  image.options.manifest_type = types::docker_manifest;
  CHECK(message_of([&] { image.copy(); }).ends_with("we cannot modify it: \"Would invalidate signatures\""));
  image.options.remove_signatures = true;
  image.copy();
  CHECK(top_manifest(image.to).media_type() == types::docker_manifest);
}

TEST_CASE("layers of a signed image keep their compression") {
  const SignedImage image(compressing());
  image.copy();
  CHECK(top_digest(image.to) == top_digest(image.from));
}

TEST_CASE("a layer that a signed and an unsigned instance share arrives as each needs it") {
  SignedList list(false, compressing());
  list.copy();
  CHECK(list.to.store->lock()->manifests.contains(list.instance));
  CHECK(list.to.store->lock()->blobs.contains(io::digest_of("shared").str()));
  CHECK(top_digest(list.to) != top_digest(list.from));
}

TEST_CASE("a list and its instances have signatures of their own") {
  const SignedList list(true);
  list.copy();
  CHECK(signatures_in(list.to) == Signatures{{"", {"of the list"}}, {list.instance, {"of arm64"}}});
}

TEST_CASE("of a list one instance is copied with the signatures of that instance") {
  SignedList list(true);
  list.options.instances = Instances::system;
  list.options.platform = {"linux", "arm64", ""};
  list.copy();
  CHECK(signatures_in(list.to) == Signatures{{"", {"of arm64"}}});
}

TEST_CASE("a signed list is stripped only if its own signatures are removed") {
  SignedList list(true);
  list.options.instances = Instances::platforms;
  list.options.platforms = {spec::Platform::parse("linux/arm64")};
  list.options.strip_removed_platforms = true;
  CHECK(message_of([&] { list.copy(); }).find("cannot modify it: \"Would invalidate signatures") !=
        std::string::npos);
  CHECK(list.to.store->lock()->blobs.empty());

  list.options.remove_list_signatures = true;
  list.copy();
  CHECK(signatures_in(list.to) == Signatures{{list.instance, {"of arm64"}}});
}

TEST_CASE("signatures of a list cannot be removed where no list is copied") {
  SignedImage image;
  image.options.remove_list_signatures = true;
  CHECK(kind_of([&] { image.copy(); }) == Kind::invalid_input);
}

TEST_CASE("an image that is there is not skipped when signatures are to come along") {
  SignedImage image;
  SignedList list(false);
  for (auto* options : {&image.options, &list.options}) {
    options->skip_existing = true;
    options->remove_signatures = true;
  }
  image.copy(), list.copy();
  image.options.remove_signatures = list.options.remove_signatures = false;
  image.copy(), list.copy();
  CHECK(signatures_in(image.to).size() == 1);
  CHECK(signatures_in(list.to).size() == 1);
}
