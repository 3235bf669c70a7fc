#include <doctest/doctest.h>

#include "copy/fixture.hpp"

using namespace lade;
using namespace lade::test;
using Instances = copy::CopyOptions::Instances;

namespace {

copy::CopyOptions with(Instances instances, std::vector<std::string> platforms = {}) {
  copy::CopyOptions options;
  options.instances = instances;
  for (const auto& text : platforms) options.platforms.push_back(spec::Platform::parse(text));
  return options;
}

struct Lists {
  MemoryReference from{"a"}, to{"b"};
  explicit Lists(transport::DestinationTraits traits = {}) : to("b", std::move(traits)) {
    set_top(*from.store, add_list(*from.store, {"amd64", "arm64", "s390x"}));
  }
};

}  // namespace

TEST_CASE("of a list the instance of the platform asked for is copied") {
  Lists lists;
  copy::CopyOptions options;
  options.platform = {"linux", "s390x", ""};
  run(lists.from, lists.to, options);
  CHECK(top_manifest(lists.to).layers().at(0).digest == io::digest_of("layer of s390x"));
  CHECK(lists.to.store->lock()->manifests.size() == 1);
}

TEST_CASE("a list is copied whole and unchanged, and what instances share is sent once") {
  Lists lists;
  const auto result = run(lists.from, lists.to, with(Instances::all));
  CHECK(result.manifest.digest == top_digest(lists.from));
  CHECK(lists.to.store->lock()->manifests.size() == 4);
  CHECK(lists.to.store->lock()->blobs_written.size() == 3 + 3 + 1);
}

TEST_CASE("index-only copies the list and nothing else") {
  Lists lists;
  run(lists.from, lists.to, with(Instances::index_only));
  CHECK(lists.to.store->lock()->blobs.empty());
  CHECK(lists.to.store->lock()->manifests.size() == 1);
}

TEST_CASE("chosen platforms are copied and the list keeps its bytes unless it is to be stripped") {
  Lists kept, stripped;
  auto options = with(Instances::platforms, {"linux/amd64", "linux/s390x"});
  CHECK(run(kept.from, kept.to, options).manifest.digest == top_digest(kept.from));
  CHECK(kept.to.store->lock()->manifests.size() == 3);

  options.strip_removed_platforms = true;
  const auto list = run(stripped.from, stripped.to, options).manifest;
  CHECK(spec::Index::parse(list.bytes, list.media_type).instances().size() == 2);
}

TEST_CASE("a list from which nothing is stripped keeps its bytes, and one cannot be stripped of everything") {
  Lists lists;
  auto options = with(Instances::platforms, {"linux/amd64", "linux/arm64", "linux/s390x"});
  options.strip_removed_platforms = true;
  CHECK(run(lists.from, lists.to, options).manifest.digest == top_digest(lists.from));
  options.instances = Instances::index_only;
  CHECK_THROWS_WITH_AS(run(lists.from, lists.to, options),
                       "requested operation filtered out all platforms and would create an empty image",
                       Error);
}

TEST_CASE("a platform that no instance has is named") {
  Lists lists;
  CHECK_THROWS_WITH_AS(run(lists.from, lists.to, with(Instances::platforms, {"plan9/mips"})),
                       "no instances found for platform plan9/mips", Error);
}

TEST_CASE("a list follows its instances when their digests change, unless digests are preserved") {
  Lists lists(compressing());
  const auto list = run(lists.from, lists.to, with(Instances::all)).manifest;
  const auto index = spec::Index::parse(list.bytes, list.media_type);
  for (const auto& instance : index.instances()) {
    CHECK(lists.to.store->lock()->manifests.contains(instance.digest.str()));
  }
  auto options = with(Instances::all);
  options.preserve_digests = true;
  CHECK(run(lists.from, lists.to, options).manifest.digest == top_digest(lists.from));
}

TEST_CASE("a destination for one image refuses a list") {
  transport::DestinationTraits traits;
  traits.accepts_lists = false;
  Lists lists(traits);
  CHECK_THROWS_WITH_AS(run(lists.from, lists.to, with(Instances::all)),
                       "copying multiple images: destination transport \"memory\" does not support copying "
                       "multiple images as a group",
                       Error);
}

TEST_CASE("a list becomes Docker's when that is the format asked for") {
  Lists lists;
  auto options = with(Instances::all);
  options.manifest_type = types::docker_manifest;
  const auto list = run(lists.from, lists.to, options).manifest;
  CHECK(list.media_type == types::docker_list);
  const auto index = spec::Index::parse(list.bytes, list.media_type);
  for (const auto& instance : index.instances()) {
    CHECK(instance.media_type == types::docker_manifest);
  }
}

TEST_CASE("one broken instance fails the copy and the list is not written") {
  Lists lists;
  lists.from.store->lock()->blobs[io::digest_of("layer of arm64").str()] = "something else";
  CHECK_THROWS_AS(run(lists.from, lists.to, with(Instances::all)), Error);
  CHECK_FALSE(lists.to.store->lock()->top);
}
