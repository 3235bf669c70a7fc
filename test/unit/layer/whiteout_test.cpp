#include <doctest/doctest.h>
#include <sys/sysmacros.h>

#include "fixture.hpp"
#include "layer/apply.hpp"
#include "support/errors.hpp"
#include "support/privileges.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarHeader;
using test::apply_layer;
using test::stat_of;
using test::TarBuilder;
using test::xattr_of;

namespace {

bool is_whiteout_device(const std::filesystem::path& path) {
  const auto found = stat_of(path);
  return S_ISCHR(found.st_mode) && found.st_rdev == 0;
}

std::optional<std::string> opaque(const std::filesystem::path& path) {
  return xattr_of(path, test::usual_options().opaque_xattr.c_str());
}

ApplyOptions options_with(Whiteouts whiteouts) {
  ApplyOptions options = test::usual_options();
  options.whiteouts = whiteouts;
  return options;
}

}  // namespace

TEST_CASE("for overlay, whiteouts are devices and opaque directories have an attribute" *
          doctest::skip(!test::is_privileged())) {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .directory("d")
                              .file("d/.wh..wh..opq")
                              .file("d/.wh.f")
                              .file("new/.wh.g")
                              .file(".wh..wh.plnk", "aufs")
                              .file(".wh..wh.aufs/x", "aufs")
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(is_whiteout_device(directory / "diff/d/f"));
  CHECK(is_whiteout_device(directory / "diff/new/g"));
  CHECK(opaque(directory / "diff/d") == "y");
  CHECK(opaque(directory / "diff/new") == std::nullopt);
  CHECK(directory.snapshot().size() == 5);
}

TEST_CASE("for overlay without privileges, whiteouts and the user attribute work too") {
  const test::Directory directory;
  test::as_nobody(directory, [&] {
    apply_layer(TarBuilder().directory("d").file("d/.wh..wh..opq").file("d/.wh.f").finish(),
                directory / "diff");
    CHECK(is_whiteout_device(directory / "diff/d/f"));
    CHECK(xattr_of(directory / "diff/d", "user.overlay.opaque") == "y");
  });
}

TEST_CASE("a whiteout is about the layers below: what this layer has stays" *
          doctest::skip(!test::is_privileged())) {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .file("a", "kept")
                              .file(".wh.a")
                              .file("d/x", "kept")
                              .file(".wh.d")
                              .file(".wh.b")
                              .file("b", "after")
                              .file(".wh.e")
                              .directory("e")
                              .file(".wh.f")
                              .file("f/g", "after")
                              .file(".wh.gone")
                              .file("gone/.wh.x")
                              .file("gone/.wh..wh..opq")
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(directory.read("diff/a") == "kept");
  CHECK(directory.read("diff/d/x") == "kept");
  CHECK(opaque(directory / "diff/d") == "y");
  CHECK(directory.read("diff/b") == "after");
  CHECK(opaque(directory / "diff/e") == "y");
  CHECK(directory.read("diff/f/g") == "after");
  CHECK(opaque(directory / "diff/f") == "y");
  CHECK(is_whiteout_device(directory / "diff/gone"));
}

TEST_CASE("for a mount program, whiteouts stay files") {
  const test::Directory directory;
  apply_layer(TarBuilder().file("d/.wh..wh..opq").file("d/.wh.f").file(".wh.x/y", "z").finish(),
              directory / "diff", options_with(Whiteouts::files));
  CHECK(S_ISREG(stat_of(directory / "diff/d/.wh.f").st_mode));
  CHECK(S_ISREG(stat_of(directory / "diff/d/.wh..wh..opq").st_mode));
  CHECK(opaque(directory / "diff/d") == std::nullopt);
  CHECK(directory.read("diff/.wh.x/y") == "z");
}

TEST_CASE("for vfs, whiteouts remove what the parent had, and not what the layer brings") {
  const test::Directory directory;
  for (const auto* name : {"a", "b", "d/old", "d/sub/old", "e/old", "e/deep/old", "f/old", "kept"})
    directory.write(std::filesystem::path("diff") / name, "parent");
  const std::string tar = TarBuilder()
                              .file(".wh.a")
                              .file("b", "layer")
                              .file(".wh.b")
                              .file("d/new", "layer")
                              .file("d/sub/new", "layer")
                              .file("d/.wh..wh..opq")
                              .file(".wh.e")
                              .file("f/new", "layer")
                              .file(".wh.f")
                              .file(".wh.missing")
                              .file("missing/.wh.x")
                              .finish();
  apply_layer(tar, directory / "diff", options_with(Whiteouts::remove));
  std::map<std::string, std::string> expected{
      {"diff", ""},           {"diff/b", "layer"},         {"diff/d", ""}, {"diff/d/new", "layer"},
      {"diff/d/sub", ""},     {"diff/d/sub/new", "layer"}, {"diff/f", ""}, {"diff/f/new", "layer"},
      {"diff/kept", "parent"}};
  CHECK(directory.snapshot() == expected);
}

TEST_CASE("for vfs, files of the parent are replaced and not written to") {
  const test::Directory directory;
  directory.write("diff/a", "parent");
  std::filesystem::create_hard_link(directory / "diff/a", directory / "other");
  apply_layer(TarBuilder().file("a", "layer").finish(), directory / "diff", options_with(Whiteouts::remove));
  CHECK(directory.read("diff/a") == "layer");
  CHECK(directory.read("other") == "parent");
}

TEST_CASE("whiteouts of nothing, of a directory's own names, and files below whiteouts are refused") {
  for (const auto whiteouts : {Whiteouts::overlay, Whiteouts::remove}) {
    for (const auto* name : {".wh.", "d/.wh..", "d/.wh...", ".wh.x/file"}) {
      CAPTURE(name);
      const test::Directory directory;
      directory.write("diff/d/file", "parent");
      const std::string tar = TarBuilder().file(name).finish();
      CHECK(test::kind_of([&] { apply_layer(tar, directory / "diff", options_with(whiteouts)); }) ==
            Kind::invalid_input);
      CHECK(directory.read("diff/d/file") == "parent");
    }
  }
}
