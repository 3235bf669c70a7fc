#include "layer/apply.hpp"

#include <doctest/doctest.h>
#include <sys/sysmacros.h>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "support/errors.hpp"
#include "support/privileges.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarHeader;
using archive::TarType;
using test::apply_layer;
using test::stat_of;
using test::TarBuilder;
using test::xattr_of;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  return stat_of(path).st_mode & 07777;
}

auto with_mode(std::uint32_t mode) {
  return [mode](TarHeader& header) { header.mode = mode; };
}

auto with_time(std::int64_t seconds, std::uint32_t nanoseconds) {
  return [=](TarHeader& header) { header.mtime = {seconds, nanoseconds}; };
}

auto with_xattr(const std::string& name, const std::string& value) {
  return [=](TarHeader& header) { header.pax["SCHILY.xattr." + name] = value; };
}

bool has_time(const std::filesystem::path& path, std::int64_t seconds, long nanoseconds) {
  const auto found = stat_of(path);
  return found.st_mtim.tv_sec == seconds && found.st_mtim.tv_nsec == nanoseconds;
}

}  // namespace

TEST_CASE("files come with content, mode and times to the nanosecond, directories with their own times") {
  const test::Directory directory;
  const std::string big = test::random_bytes(3'000'000);
  const std::string tar = TarBuilder()
                              .directory("d/", with_time(1'234'567'890, 123'456'789))
                              .file("d/big", big, with_mode(0640))
                              .file("d/empty", "", with_time(-5, 250'000'000))
                              .file("setuid", "x", with_mode(06751))
                              .directory("shared", with_mode(03777))
                              .directory("closed", with_mode(0))
                              .symlink("link", "any/where", with_time(7, 8))
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(directory.read("diff/d/big") == big);
  CHECK(mode_of(directory / "diff/d/big") == 0640);
  CHECK(has_time(directory / "diff/d/big", 1'500'000'000, 0));
  CHECK(has_time(directory / "diff/d/empty", -5, 250'000'000));
  CHECK(has_time(directory / "diff/d", 1'234'567'890, 123'456'789));
  CHECK(mode_of(directory / "diff/setuid") == 06751);
  CHECK(mode_of(directory / "diff/shared") == 03777);
  CHECK(mode_of(directory / "diff/closed") == 0);
  CHECK(std::filesystem::read_symlink(directory / "diff/link") == "any/where");
  CHECK(has_time(directory / "diff/link", 7, 8));
}

TEST_CASE("the digest is of the whole tar, with what follows its end") {
  const test::Directory directory;
  std::string tar = TarBuilder().file("a", "one").finish();
  tar.append(700'000, 'z');
  const auto applied = apply_layer(tar, directory / "diff");
  CHECK(applied.diff_id == io::digest_of(tar));
  CHECK(applied.size == tar.size());
  CHECK(apply_layer("", directory / "empty").diff_id == io::digest_of(""));
}

TEST_CASE("user and group IDs are those of the headers, without whiteouts") {
  if (!test::is_root()) return;
  const test::Directory directory;
  const auto owner = [](std::uint32_t uid, std::uint32_t gid) {
    return [=](TarHeader& header) { header.uid = uid, header.gid = gid; };
  };
  const std::string tar = TarBuilder()
                              .file("a", "", owner(7, 1))
                              .file("b", "", owner(3, 2))
                              .file("c", "", owner(7, 1))
                              .file(".wh.d", "", owner(99, 99))
                              .finish();
  const auto applied = apply_layer(tar, directory / "diff");
  CHECK(applied.uids == std::vector<std::uint32_t>{3, 7});
  CHECK(applied.gids == std::vector<std::uint32_t>{1, 2});
  CHECK(stat_of(directory / "diff/b").st_uid == 3);
}

TEST_CASE("IDs are mapped to the host's, and those without a mapping refused") {
  if (!test::is_root()) return;
  const test::Directory directory;
  ApplyOptions options;
  options.ids = {{{0, 100'000, 10}, {10, 5, 1}}, {{0, 200'000, 11}}};
  const auto owned_by = [](std::uint32_t id) {
    return TarBuilder().file("d/a", "", [id](TarHeader& header) { header.uid = header.gid = id; }).finish();
  };
  const auto applied = apply_layer(owned_by(10), directory / "diff", options);
  CHECK(applied.uids == std::vector<std::uint32_t>{10});
  CHECK(stat_of(directory / "diff/d/a").st_uid == 5);
  CHECK(stat_of(directory / "diff/d/a").st_gid == 200'010);
  CHECK(stat_of(directory / "diff/d").st_uid == 100'000);
  const auto error = test::error_of([&] { apply_layer(owned_by(11), directory / "other", options); });
  CHECK(std::string(error.what()).find("container ID 11 cannot be mapped to a host ID") != std::string::npos);
}

TEST_CASE("hard links share an inode, to themselves and to links too") {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .file("d/a", "content")
                              .hard_link("b", "d/a")
                              .hard_link("/b", "../d/a")
                              .hard_link("d/a", "d/a")
                              .symlink("s", "d")
                              .hard_link("t", "s")
                              .hard_link("u", "s/a")
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(directory.read("diff/b") == "content");
  CHECK(stat_of(directory / "diff/d/a").st_nlink == 3);
  CHECK(stat_of(directory / "diff/d/a").st_ino == stat_of(directory / "diff/u").st_ino);
  CHECK(S_ISLNK(stat_of(directory / "diff/t").st_mode));
}

TEST_CASE("targets of hard links are looked for where the tree leads now") {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .file("d/a", "one")
                              .hard_link("x", "d/a")
                              .file("e/b", "two")
                              .symlink("d", "e")
                              .hard_link("y", "d/b")
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(directory.read("diff/x") == "one");
  CHECK(directory.read("diff/y") == "two");
}

TEST_CASE("a hard link to nothing or to a directory, and a file below a file, are errors") {
  for (const std::string& tar :
       {TarBuilder().hard_link("a", "missing").finish(),
        TarBuilder().directory("d").hard_link("a", "d").finish(), TarBuilder().hard_link("a", "").finish(),
        TarBuilder().file("f").file("f/a").finish()}) {
    const test::Directory directory;
    CHECK_THROWS_AS(apply_layer(tar, directory / "diff"), Error);
  }
}

TEST_CASE("fifos and devices are made; rootless leaves devices out" * doctest::skip(!test::is_privileged())) {
  const test::Directory directory;
  const auto device = [](TarHeader& header) { header.device_major = 1, header.device_minor = 3; };
  const std::string tar = TarBuilder()
                              .add(TarType::fifo, "fifo", {}, with_mode(0666))
                              .add(TarType::char_device, "null", {}, device)
                              .finish();
  ApplyOptions options = test::usual_options();
  options.rootless = true;
  apply_layer(tar, directory / "rootless", options);
  CHECK(S_ISFIFO(stat_of(directory / "rootless/fifo").st_mode));
  CHECK(mode_of(directory / "rootless/fifo") == 0666);
  CHECK_FALSE(directory.has("rootless/null"));
  if (!test::is_root()) return;
  apply_layer(tar, directory / "root");
  CHECK(S_ISCHR(stat_of(directory / "root/null").st_mode));
  CHECK(stat_of(directory / "root/null").st_rdev == makedev(1, 3));
}

TEST_CASE("extended attributes are kept, but not labels and not the markers of overlay file systems") {
  const test::Directory directory;
  TarBuilder tar;
  tar.file("a", "x", with_xattr("user.one", std::string("a\0b", 3)));
  tar.directory("d", with_xattr("user.two", "2"));
  const char* refused[] = {"user.overlay.opaque",       "user.overlay.redirect",
                           "trusted.overlay.opaque",    "trusted.overlay.metacopy",
                           "user.fuseoverlayfs.opaque", "user.containers.override_stat",
                           "security.selinux"};
  for (const auto* name : refused) tar.directory(std::string("d/") + name, with_xattr(name, "y"));
  apply_layer(tar.finish(), directory / "diff");
  CHECK(xattr_of(directory / "diff/a", "user.one") == std::string("a\0b", 3));
  CHECK(xattr_of(directory / "diff/d", "user.two") == "2");
  for (const auto* name : refused) {
    CAPTURE(name);
    CHECK(xattr_of(directory / "diff/d" / name, name) == std::nullopt);
  }
}

TEST_CASE("an attribute that may not be set is an error, rootless ignores it") {
  const test::Directory directory;
  // The kernel knows user attributes of files and directories only.
  const std::string tar = TarBuilder().symlink("a", "b", with_xattr("user.one", "1")).finish();
  CHECK(test::kind_of([&] { apply_layer(tar, directory / "diff"); }) == Kind::denied);
  ApplyOptions options = test::usual_options();
  options.rootless = true;
  apply_layer(tar, directory / "rootless", options);
  CHECK(S_ISLNK(stat_of(directory / "rootless/a").st_mode));
}

TEST_CASE("parents that no entry describes are made; the root entry counts for vfs only") {
  const test::Directory directory;
  const std::string tar = TarBuilder().directory("./", with_mode(0711)).file("a/b/c", "x").finish();
  apply_layer(tar, directory / "diff");
  CHECK(mode_of(directory / "diff/a") == 0755);
  CHECK(mode_of(directory / "diff") != 0711);
  ApplyOptions options = test::usual_options();
  options.whiteouts = Whiteouts::remove;
  apply_layer(tar, directory / "vfs", options);
  CHECK(mode_of(directory / "vfs") == 0711);
  CHECK(has_time(directory / "vfs", 1'500'000'000, 0));
}

TEST_CASE("later entries replace earlier ones, directories are merged") {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .file("a", "one")
                              .hard_link("b", "a")
                              .file("./a", "two")
                              .directory("d", with_mode(0700))
                              .file("d/f", "kept")
                              .directory("d/", with_mode(0751))
                              .file("e/f", "gone")
                              .symlink("e", "d")
                              .symlink("l", "d")
                              .directory("l")
                              .file("l/f", "own")
                              .directory("x")
                              .file("x", "file")
                              .finish();
  apply_layer(tar, directory / "diff");
  CHECK(directory.read("diff/a") == "two");
  CHECK(directory.read("diff/b") == "one");
  CHECK(directory.read("diff/d/f") == "kept");
  CHECK(mode_of(directory / "diff/d") == 0751);
  CHECK(directory.read("diff/e/f") == "kept");
  CHECK(directory.read("diff/l/f") == "own");
  CHECK(directory.read("diff/x") == "file");
}

TEST_CASE("modes do not depend on the umask, which stays as it was") {
  const test::Directory directory;
  const mode_t before = ::umask(0077);
  const std::string tar =
      TarBuilder().directory("d", with_mode(0775)).file("d/a", "", with_mode(0666)).file("e/f").finish();
  apply_layer(tar, directory / "diff");
  CHECK(::umask(before) == 0077);
  CHECK(mode_of(directory / "diff/d") == 0775);
  CHECK(mode_of(directory / "diff/d/a") == 0666);
  CHECK(mode_of(directory / "diff/e") == 0755);
}

TEST_CASE("sparse files keep their holes") {
  const test::Directory directory;
  const std::string tar = TarBuilder()
                              .file("sparse", "12345678",
                                    [&](TarHeader& header) {
                                      header.pax = {{"GNU.sparse.major", "0"},
                                                    {"GNU.sparse.minor", "1"},
                                                    {"GNU.sparse.map", "4194304,8"},
                                                    {"GNU.sparse.size", "8388608"}};
                                    })
                              .file("after", "x")
                              .finish();
  apply_layer(tar, directory / "diff");
  const auto found = stat_of(directory / "diff/sparse");
  CHECK(found.st_size == 8'388'608);
  CHECK(found.st_blocks * 512 < 1'000'000);
  CHECK(directory.read("diff/sparse").substr(4'194'304, 8) == "12345678");
  CHECK(directory.read("diff/after") == "x");
  ApplyOptions options = test::usual_options();
  options.max_size = 1'000'000;
  CHECK(test::kind_of([&] { apply_layer(tar, directory / "limited", options); }) == Kind::invalid_input);
}

TEST_CASE("as an ordinary user: own files of any mode; other owners are errors unless ignored") {
  const test::Directory directory;
  test::as_nobody(directory, [&] {
    const std::string tar = TarBuilder()
                                .directory("r", with_mode(0555))
                                .directory("r/closed", with_mode(0))
                                .file("r/closed/a", "x", with_mode(0))
                                .directory("r/closed/in", with_mode(0))
                                .directory("r/after")
                                .finish();
    apply_layer(tar, directory / "diff");
    CHECK(mode_of(directory / "diff/r") == 0555);
    const std::string foreign =
        TarBuilder().file("a", "x", [](TarHeader& header) { header.uid = 12345; }).finish();
    CHECK(test::kind_of([&] { apply_layer(foreign, directory / "foreign"); }) == Kind::denied);
    ApplyOptions options = test::usual_options();
    options.ignore_chown_errors = true;
    apply_layer(foreign, directory / "ignored", options);
    CHECK(directory.read("ignored/a") == "x");
  });
  if (test::is_root()) CHECK(mode_of(directory / "diff/r/closed") == 0);
}

TEST_CASE("the error of the reader is the one that is thrown") {
  const test::Directory directory;
  const std::string tar = TarBuilder().file("a", std::string(2'000'000, 'x')).finish();
  std::filesystem::create_directory(directory / "diff");
  test::SlowReader reader(tar.substr(0, 1'000'000), 10'000, true);
  const auto fd = os::open_file(directory / "diff", O_RDONLY | O_DIRECTORY);
  CHECK(test::message_of([&] { layer::apply(background(), reader, fd, {}); }) == "broken");
}

TEST_CASE("a stopped context cancels") {
  const test::Directory directory;
  std::stop_source stop;
  stop.request_stop();
  const auto tar = io::make_text_reader(TarBuilder().file("a").finish());
  const auto fd = os::open_file(directory.path(), O_RDONLY | O_DIRECTORY);
  CHECK_THROWS_AS(layer::apply(background().with_stop(stop.get_token()), *tar, fd, {}), Cancelled);
}

TEST_CASE("an unknown type of entry, and a root that is no directory, are errors") {
  const test::Directory directory;
  const auto with_type = [](char type) {
    std::string tar = TarBuilder().file("a", "x").finish();
    tar[156] = type;
    // The checksum is a sum of bytes.
    const int sum = std::stoi(tar.substr(148, 6), nullptr, 8) + type - '0';
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%06o", static_cast<unsigned>(sum));
    tar.replace(148, 6, digits.data());
    return tar;
  };
  CHECK(test::kind_of([&] { apply_layer(with_type('Z'), directory / "diff"); }) == Kind::unsupported);
  CHECK(test::kind_of([&] { apply_layer(TarBuilder().file("./", "x").finish(), directory / "diff"); }) ==
        Kind::invalid_input);
}
