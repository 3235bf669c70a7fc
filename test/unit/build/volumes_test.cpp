#include "build/volumes.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::build;

using Words = std::vector<std::string>;

TEST_CASE("volumes: source, destination and options") {
  const auto mount = parse_volume("/src:/dst:ro,Z,U,nosuid");
  CHECK(mount.source == "/src");
  CHECK(mount.destination == "/dst");
  CHECK(mount.options == Words{"rbind", "ro", "nosuid", "rprivate"});
  CHECK(mount.relabel_private);
  CHECK(mount.chown);
  CHECK(parse_volume("/a\\:b:/c").source == "/a:b");
  const auto overlay = parse_volume("/a:/b:O,upperdir=/u,workdir=/w");
  CHECK(overlay.overlay);
  CHECK(overlay.upper == "/u");
}

TEST_CASE("volumes: what is none is refused") {
  CHECK_THROWS_WITH(parse_volume("/a"),
                    "incorrect volume format \"/a\", should be host-dir:ctr-dir[:option]");
  CHECK_THROWS_AS(parse_volume("a:/b"), Error);
  CHECK_THROWS_AS(parse_volume("/a:b"), Error);
  CHECK_THROWS_AS(parse_volume("/a:/b:bogus"), Error);
  CHECK_THROWS_AS(parse_volume("/a:/b:O,upperdir=/u"), Error);
}

TEST_CASE("mounts: bind is read-only or thrown away, cache is neither") {
  const auto bind = parse_mount("type=bind,source=x,target=y", "/ctx", "/work");
  CHECK(bind.source == "/ctx/x");
  CHECK(bind.destination == "/work/y");
  CHECK(bind.options == Words{"rbind", "ro", "rprivate"});
  CHECK(parse_mount("source=/x,dst=/y,rw", "", "").overlay);
  const auto cache = parse_mount("type=cache,target=/c,mode=0700,uid=5,sharing=locked", "", "");
  CHECK(cache.mode == 0700);
  CHECK(cache.locked);
  CHECK(cache.options == Words{"rbind", "rprivate"});
  const auto tmpfs = parse_mount("type=tmpfs,target=/t,tmpfs-size=1m", "", "");
  CHECK(tmpfs.options == Words{"size=1m"});
}

TEST_CASE("mounts: unknown types and keys are refused") {
  CHECK_THROWS_WITH(parse_mount("type=magic,target=/x", "", ""), "invalid filesystem type \"magic\"");
  CHECK_THROWS_AS(parse_mount("type=cache,target=/x,bogus=1", "", ""), Error);
  CHECK_THROWS_AS(parse_mount("type=cache,target=/x,sharing=private", "", ""), Error);
  CHECK_THROWS_WITH(parse_mount("type=bind,source=/x", "", ""), "must set volume destination");
}

TEST_CASE("mounts: caches are told apart by name and owner") {
  VolumeMount one;
  one.destination = "/c";
  VolumeMount two = one;
  two.uid = 5;
  CHECK(cache_directory(one, "/var/tmp", 0) != cache_directory(two, "/var/tmp", 0));
  CHECK(cache_directory(one, "/var/tmp", 7).parent_path() == "/var/tmp/buildah-cache-7");
}
