#include "sync/sync.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>

#include "support/errors.hpp"
#include "support/fake_registry.hpp"
#include "support/image_builder.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::test;

namespace {

class Listener final : public sync::Narrator {
 public:
  void tell(Level, const std::string& message, const sync::Fields&) override {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  }
  bool heard(const std::string& message) const {
    return std::find(messages_.begin(), messages_.end(), message) != messages_.end();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

// Two registries, one of them with images.
struct SyncFixture {
  SyncFixture() {
    to.origin = "https://to.example";
    pool = std::make_shared<FakePool>([this](const FakeRequest& request) { return answer(request); });
    source.options.registry.pool = pool;
    options.jobs = 3;
    options.journal = directory / "journal";
  }

  FakeAnswer answer(const FakeRequest& request) {
    FakeRegistry& registry = request.url.starts_with(to.origin) ? to : from;
    if (request.url.ends_with("/tags/list")) return tags_of(registry, request.url);
    if (request.url.find("/manifests/bad") != std::string::npos) return {.status = 400, .body = "no"};
    return registry(request);
  }

  static FakeAnswer tags_of(const FakeRegistry& registry, const std::string& url) {
    const std::string path = url.substr(registry.origin.size() + 4);
    const std::string prefix = path.substr(0, path.size() - 10) + ":";
    std::string tags;
    for (const auto& [name, manifest] : registry.manifests)
      if (name.starts_with(prefix)) tags += (tags.empty() ? "\"" : ",\"") + name.substr(prefix.size()) + "\"";
    return {.body = R"({"name":"x","tags":[)" + tags + "]}"};
  }

  void add(const std::string& repository, const std::string& tag) {
    const TestImage image = make_image({.name = tag});
    for (const auto& blob : image.layers) from.blobs[repository + "@" + blob.descriptor.digest.str()] = blob.bytes;
    from.blobs[repository + "@" + image.config.descriptor.digest.str()] = image.config.bytes;
    const FakeAnswer manifest{.headers = {{"Content-Type", image.manifest.media_type},
                                          {"Docker-Content-Digest", image.manifest.digest.str()}},
                              .body = image.manifest.bytes};
    from.manifests[repository + ":" + tag] = manifest;
    from.manifests[repository + "@" + image.manifest.digest.str()] = manifest;
  }

  sync::SyncResult run(const std::string& transport = "docker", const std::string& where = "to.example/mirror") {
    transport::Options there;
    there.registry.pool = pool;
    const trust::PolicyContext policy({{config::InsecureAcceptAnything{}}, {}});
    return sync::sync(background(), policy, source, sync::Destination(transport, where, there), options, listener);
  }

  Directory directory;
  FakeRegistry from, to;
  std::shared_ptr<FakePool> pool;
  sync::Source source{"docker", "reg.example/ns/app", {}, {}};
  sync::SyncOptions options;
  Listener listener;
};

}  // namespace

TEST_CASE_FIXTURE(SyncFixture, "every tag of a repository is copied, and the second time nothing is") {
  for (const char* tag : {"1.0", "1.1", "2.0"}) add("ns/app", tag);
  const auto result = run();
  CHECK(result.images.size() == 3);
  for (const char* tag : {"1.0", "1.1", "2.0"})
    CHECK(to.manifests.at(std::string("mirror/app:") + tag).body ==
          from.manifests.at(std::string("ns/app:") + tag).body);
  const auto before = pool->requests().size();
  CHECK(run().images.size() == 3);
  const auto requests = pool->requests();
  CHECK(requests.size() == before + 7);
  const auto heads = std::count_if(requests.begin() + static_cast<std::ptrdiff_t>(before), requests.end(),
                                   [](const FakeRequest& request) { return request.method == "HEAD"; });
  CHECK(heads == 6);
}

TEST_CASE_FIXTURE(SyncFixture, "a tag that has moved is copied again") {
  add("ns/app", "1.0");
  run();
  from.manifests["ns/app:1.0"] = (add("ns/app", "other"), from.manifests.at("ns/app:other"));
  from.manifests.erase("ns/app:other");
  run();
  CHECK(to.manifests.at("mirror/app:1.0").body == from.manifests.at("ns/app:1.0").body);
}

TEST_CASE_FIXTURE(SyncFixture, "an image that went missing at the destination is copied again") {
  add("ns/app", "1.0");
  run();
  to.manifests.clear();
  run();
  CHECK(to.manifests.contains("mirror/app:1.0"));
}

TEST_CASE_FIXTURE(SyncFixture, "a failure ends a sync, unless it is to keep going") {
  add("ns/app", "1.0");
  from.manifests["ns/app:bad"] = {};
  CHECK(message_of([&] { run(); }).starts_with("Error copying ref \"docker://reg.example/ns/app:bad\": "));
  options.keep_going = true;
  const auto result = run();
  CHECK(result.failed);
  CHECK(result.images.size() == 1);
  CHECK(to.manifests.contains("mirror/app:1.0"));
}

TEST_CASE_FIXTURE(SyncFixture, "pruning removes what the source does not have, and not after a failure") {
  add("ns/app", "1.0");
  add("ns/app", "2.0");
  run();
  from.manifests.erase("ns/app:2.0");
  from.manifests["ns/app:bad"] = {};
  options.prune = options.keep_going = true;
  run();
  CHECK(to.manifests.contains("mirror/app:2.0"));
  from.manifests.erase("ns/app:bad");
  run();
  CHECK_FALSE(to.manifests.contains("mirror/app:2.0"));
  CHECK(to.manifests.contains("mirror/app:1.0"));
}

TEST_CASE_FIXTURE(SyncFixture, "pruning works in directories and layouts too") {
  for (const std::string transport : {"dir", "oci"}) {
    const std::string out = (directory / transport).string();
    add("ns/app", "1.0");
    add("ns/app", "2.0");
    options.prune = options.replace = true;
    run(transport, out);
    const sync::Destination destination(transport, out, {});
    CHECK(destination.list_tags(background(), "app").size() == 2);
    from.manifests.erase("ns/app:2.0");
    run(transport, out);
    CHECK(destination.list_tags(background(), "app") == std::vector<std::string>{"1.0"});
  }
}

TEST_CASE_FIXTURE(SyncFixture, "two images for one name are refused before anything is written") {
  add("ns/app", "1.0");
  add("ns/app", "2.0");
  options.names.rename = [](const std::string&) { return "same:tag"; };
  CHECK(kind_of([&] { run(); }) == Kind::invalid_input);
  CHECK(to.manifests.empty());
}

TEST_CASE_FIXTURE(SyncFixture, "a name that leads out of the directory is refused") {
  add("ns/app", "1.0");
  for (const std::string& name : {std::string("../x"), std::string("a/../../x"), std::string("."), std::string("")}) {
    options.names.rename = [&](const std::string&) { return name; };
    CHECK(kind_of([&] { run("dir", (directory / "out").string()); }) == Kind::invalid_input);
  }
  CHECK_FALSE(directory.has("out"));
}

TEST_CASE_FIXTURE(SyncFixture, "a directory that is there is refused, or brought up to date on request") {
  add("ns/app", "1.0");
  const std::string out = (directory / "out").string();
  run("dir", out);
  CHECK(kind_of([&] { run("dir", out); }) == Kind::already_exists);
  options.replace = true;
  CHECK(run("dir", out).images.size() == 1);
  CHECK(listener.heard("Skipping: image already present at destination"));
}

TEST_CASE_FIXTURE(SyncFixture, "a dry run touches nothing") {
  add("ns/app", "1.0");
  options.dry_run = true;
  run();
  CHECK(to.manifests.empty());
  CHECK(listener.heard("Would have copied image ref 1/1"));
  CHECK(listener.heard("Would have synced 1 images from 1 sources"));
}

TEST_CASE_FIXTURE(SyncFixture, "shards share the images among them") {
  for (int i = 0; i < 40; ++i) add("ns/app", std::to_string(i));
  std::size_t all = 0;
  for (std::uint64_t index = 1; index <= 3; ++index) {
    options.shard = {index, 3};
    const auto count = run().images.size();
    CHECK(count > 0);
    all += count;
  }
  CHECK(all == 40);
  CHECK(to.manifests.size() == 80);
}

TEST_CASE("a shard is I/N") {
  CHECK(sync::Shard::parse("2/5").index == 2);
  for (const char* text : {"", "1", "0/3", "4/3", "1/", "/3", "a/b", "-1/2", "1/2/3"})
    CHECK_MESSAGE(kind_of([&] { sync::Shard::parse(text); }) == Kind::invalid_input, text);
}

TEST_CASE_FIXTURE(SyncFixture, "credentials of the command line are not shown to several registries of a file") {
  directory.write("sync.yml", "reg.example: {images: {ns/app: [a]}}\nother.example: {images: {x: [b]}}\n");
  source = {"yaml", (directory / "sync.yml").string(), source.options, {}};
  source.options.registry.credentials = registry::Credentials{"user", "secret", ""};
  CHECK(kind_of([&] { run(); }) == Kind::invalid_input);
  CHECK(pool->requests().empty());
}
