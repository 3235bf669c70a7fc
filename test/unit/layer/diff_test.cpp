#include "layer/diff.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "archive/tar_reader.hpp"
#include "fixture.hpp"
#include "layer/apply.hpp"
#include "support/errors.hpp"
#include "support/privileges.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarEntry;
using archive::TarHeader;
using archive::TarType;
using test::TarBuilder;

namespace {

os::UniqueFd opened(const std::filesystem::path& path) {
  return os::open_file(path, O_PATH | O_DIRECTORY);
}

std::string diff_of(const std::filesystem::path& path, DiffOptions options = {}) {
  const Context context = background();
  return test::read_text(*diff(context, opened(path), std::move(options)));
}

std::string trees_diff(const test::Directory& directory) {
  const Context context = background();
  return test::read_text(*diff_trees(context, opened(directory / "lower"), opened(directory / "upper"), {}));
}

struct Member {
  TarHeader header;
  std::string content;
};

std::vector<Member> members_of(const std::string& tar) {
  test::SlowReader inner(tar, 10'000);
  archive::TarReader reader(inner);
  std::vector<Member> members;
  while (const TarEntry* entry = reader.next()) {
    TarHeader header = entry->header;
    members.push_back({std::move(header), test::read_text(reader)});
  }
  return members;
}

std::vector<std::string> names_of(const std::string& tar) {
  std::vector<std::string> names;
  for (const auto& member : members_of(tar)) names.push_back(member.header.name);
  return names;
}

const Member& member(const std::vector<Member>& members, const std::string& name) {
  for (const auto& one : members)
    if (one.header.name == name) return one;
  FAIL("no member " << name);
  return members.front();
}

using Names = std::vector<std::string>;

// Sets whole seconds, as of a tree that came from a tar.
void set_time(const std::filesystem::path& path, std::int64_t seconds) {
  std::array<std::timespec, 2> times{};
  times[0].tv_sec = times[1].tv_sec = seconds;
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0);
}

void make_socket(const std::filesystem::path& path) {
  const os::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.string().copy(address.sun_path, sizeof address.sun_path - 1) == path.string().size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

}  // namespace

TEST_CASE("a layer that was unpacked gives the same tar, but for what tars say in several ways" *
          doctest::skip(!test::is_privileged())) {
  const test::Directory directory;
  const auto typed = [](mode_t type, std::uint32_t mode) {
    return [=](TarHeader& header) { header.mode = type | mode; };
  };
  std::string long_name(180, 'n');
  const std::string tar = TarBuilder()
                              .directory("d/", typed(S_IFDIR, 01777))
                              .file("d/.wh..wh..opq", "",
                                    [](TarHeader& header) {
                                      header.mode = 0777;
                                      header.mtime = {0, 0};
                                    })
                              .file("d/a", test::random_bytes(300'000), typed(S_IFREG, 0640))
                              .hard_link("d/b", "d/a")
                              .directory("d/e/", typed(S_IFDIR, 0755))
                              .add(TarType::fifo, "d/e/fifo", {}, typed(S_IFIFO, 0600))
                              .file("d-x", "y", typed(S_IFREG, 04755))
                              .file(".wh.gone", "",
                                    [](TarHeader& header) {
                                      header.mode = 0;
                                      header.mtime = {0, 0};
                                    })
                              .file(long_name, "", typed(S_IFREG, 0644))
                              .symlink("s", "d/../anywhere", typed(S_IFLNK, 0777))
                              .file("x", "attributes",
                                    [](TarHeader& header) {
                                      header.mode = S_IFREG | 0644;
                                      header.pax["SCHILY.xattr.user.a"] = std::string("1\0", 2);
                                    })
                              .finish();
  test::apply_layer(tar, directory / "diff");
  // Whiteouts have the time they were made at.
  set_time(directory / "diff/gone", 0);
  // As containers/storage, with the mode of the file in a link to it.
  std::string expected = tar;
  const auto made = diff_of(directory / "diff");
  CHECK(names_of(made) == names_of(tar));
  const auto link = made.find("d/b");
  REQUIRE(link != std::string::npos);
  expected.replace(link, 512, made, link, 512);
  CHECK((made == expected));
  const auto members = members_of(made);
  CHECK(member(members, "d/b").header.type == TarType::hard_link);
  CHECK(member(members, "d/b").header.link == "d/a");
}

TEST_CASE("whiteouts of all kinds become .wh. files" * doctest::skip(!test::is_privileged())) {
  if (!test::is_root()) return;
  const test::Directory directory;
  const auto diff = directory / "diff";
  for (const auto* name : {"trusted", "user", "fuse", "file", "device", "no"})
    std::filesystem::create_directories(diff / name);
  ::lsetxattr((diff / "trusted").c_str(), "trusted.overlay.opaque", "y", 1, 0);
  ::lsetxattr((diff / "user").c_str(), "user.overlay.opaque", "y", 1, 0);
  ::lsetxattr((diff / "fuse").c_str(), "user.fuseoverlayfs.opaque", "y", 1, 0);
  ::lsetxattr((diff / "no").c_str(), "trusted.overlay.opaque", "x", 1, 0);
  directory.write("diff/file/.wh..wh..opq", "");
  REQUIRE(::mknod((diff / "device/.wh..opq").c_str(), S_IFCHR, 0) == 0);
  REQUIRE(::mknod((diff / "device/gone").c_str(), S_IFCHR, 0) == 0);
  // The kernel links them.
  REQUIRE(::link((diff / "device/gone").c_str(), (diff / "device/gone2").c_str()) == 0);
  REQUIRE(::mknod((diff / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
  const auto tar = diff_of(diff);
  CHECK(names_of(tar) == Names{"device/", "device/.wh..wh..opq", "device/.wh.gone", "device/.wh.gone2",
                               "file/", "file/.wh..wh..opq", "fuse/", "fuse/.wh..wh..opq", "no/", "null",
                               "trusted/", "trusted/.wh..wh..opq", "user/", "user/.wh..wh..opq"});
  const auto members = members_of(tar);
  CHECK(member(members, "device/.wh.gone2").header.type == TarType::regular);
  CHECK(member(members, "null").header.device_minor == 3);
  CHECK(member(members, "user/").header.pax.empty());
}

TEST_CASE("an opaque directory is marked only if a layer below has its name" *
          doctest::skip(!test::is_privileged())) {
  const test::Directory directory;
  test::apply_layer(TarBuilder().file("a/.wh..wh..opq").file("b/.wh..wh..opq").finish(), directory / "diff");
  std::filesystem::create_directories(directory / "lower/b");
  DiffOptions options;
  options.lowers = {std::make_shared<const os::Root>(directory / "lower")};
  CHECK(names_of(diff_of(directory / "diff", options)) == Names{"a/", "b/", "b/.wh..wh..opq"});
}

TEST_CASE("sockets are left out, times are in seconds and may be clamped, owners mapped back or set") {
  const test::Directory directory;
  directory.write("diff/a", "x");
  make_socket(directory / "diff/socket");
  set_time(directory / "diff/a", 2'000'000'000);
  DiffOptions options;
  options.latest_mtime = 1'000'000'000;
  options.owner = {12, 34};
  const auto members = members_of(diff_of(directory / "diff", options));
  REQUIRE(members.size() == 1);
  CHECK(members[0].header.mtime == archive::TarTime{1'000'000'000, 0});
  CHECK(members[0].header.uid == 12);
  CHECK(members[0].header.gid == 34);
  options = {};
  options.latest_mtime = 2'100'000'000;
  options.ids = {{{5, ::geteuid(), 1}}, {{6, ::getegid(), 1}}};
  const auto mapped = members_of(diff_of(directory / "diff", options));
  CHECK(mapped[0].header.mtime.seconds == 2'000'000'000);
  CHECK(mapped[0].header.uid == 5);
  CHECK(mapped[0].header.gid == 6);
  options.ids.uids = {{0, 1'000'000, 1}};
  CHECK(test::kind_of([&] { diff_of(directory / "diff", options); }) == Kind::invalid_input);
}

TEST_CASE("what overlay moved elsewhere cannot be read from its directory") {
  const test::Directory directory;
  directory.write("diff/a", "x");
  REQUIRE(::lsetxattr((directory / "diff/a").c_str(), "user.overlay.metacopy", "", 0, 0) == 0);
  CHECK(test::kind_of([&] { diff_of(directory / "diff"); }) == Kind::unsupported);
}

TEST_CASE("deep trees are walked with few descriptors, to a limit") {
  const test::Directory directory;
  std::string path;
  for (int depth = 0; depth < 300; ++depth) path += "d/";
  test::apply_layer(TarBuilder().file(path + "f", "x").file("d/d/z", "y").finish(), directory / "diff");
  const auto names = names_of(diff_of(directory / "diff"));
  CHECK(names.size() == 302);
  CHECK(names[300] == path + "f");
  CHECK(names[301] == "d/d/z");
}

TEST_CASE("a file that becomes shorter while it is read is an integrity error") {
  const test::Directory directory;
  directory.write("diff/a", std::string(100'000, 'x'));
  const Context context = background();
  const auto reader = diff(context, opened(directory / "diff"), {});
  std::array<std::byte, 1024> head{};
  CHECK(io::read_full(*reader, head) == head.size());
  std::filesystem::resize_file(directory / "diff/a", 100);
  CHECK(test::kind_of([&] { io::drain(*reader); }) == Kind::integrity);
}

TEST_CASE("an empty directory is an empty tar") {
  const test::Directory directory;
  CHECK(diff_of(directory.path()) == std::string(1024, '\0'));
}

TEST_CASE("trees are compared by what a tar can say") {
  const test::Directory directory;
  const auto build = [](const std::string& which) {
    const bool upper = which == "upper";
    TarBuilder tar;
    tar.directory("same").file("same/file", "x").directory("same/deep").file("same/deep/file", "x");
    tar.file("content", upper ? "b" : "bb").directory("p").directory("p/q").directory("p/q/r");
    tar.file("p/q/r/changed", "x", [=](TarHeader& header) { header.mode = upper ? 0600 : 0644; });
    tar.symlink("link", upper ? "aa" : "bb");
    tar.file("attribute", "x",
             [=](TarHeader& header) { header.pax["SCHILY.xattr.user.a"] = upper ? "1" : "2"; });
    tar.file("time", "x", [=](TarHeader& header) { header.mtime.seconds = upper ? 1 : 2; });
    tar.file("nanoseconds", "x", [=](TarHeader& header) { header.mtime.nanoseconds = upper ? 1 : 0; });
    tar.directory("directory-time", [=](TarHeader& header) { header.mtime.seconds = upper ? 1 : 2; });
    if (upper) {
      tar.directory("new")
          .file("new/file", "x")
          .hard_link("new/link", "new/file")
          .file("turns")
          .directory("turned");
      tar.file("turned/file");
    } else {
      tar.directory("old")
          .file("old/file")
          .file("same/old")
          .directory("turns")
          .file("turns/file")
          .file("turned");
    }
    return tar.finish();
  };
  test::apply_layer(build("lower"), directory / "lower");
  test::apply_layer(build("upper"), directory / "upper");
  const auto tar = trees_diff(directory);
  CHECK(names_of(tar) == Names{"attribute", "content", "link", "new/", "new/file", "new/link", ".wh.old",
                               "p/", "p/q/", "p/q/r/", "p/q/r/changed", "same/", "same/.wh.old", "time",
                               "turned/", "turned/file", "turns"});
  CHECK(member(members_of(tar), "new/link").header.link == "new/file");
  // Applied to the one, it makes the other.
  ApplyOptions options = test::usual_options();
  options.whiteouts = Whiteouts::remove;
  test::apply_layer(tar, directory / "lower", options);
  CHECK(names_of(trees_diff(directory)).empty());
}

TEST_CASE("a tree does not differ from itself") {
  const test::Directory directory;
  directory.write("lower/d/a", "x");
  std::filesystem::create_directory_symlink("lower", directory / "upper");
  CHECK(names_of(trees_diff(directory)).empty());
}
