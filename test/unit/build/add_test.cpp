#include "build/add.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::build;

namespace {

struct Copying : test::Workshop {
  Copying() : builder(from(put_image("app", {{"etc/", ""}, {"etc/motd", "hello"}}))) {
    for (const char* name : {"ctx/a.txt", "ctx/b.txt", "ctx/sub/c.txt"}) directory.write(name, name);
    options.context_directory = directory / "ctx";
  }

  std::string copy(const std::vector<std::string>& sources, const std::string& destination) {
    std::vector<AddSource> all;
    for (const auto& source : sources) all.push_back({source, {}});
    return add_content(*builders, builder, destination, all, options).str();
  }
  std::string read(const std::string& name) { return os::read_file(files_of(builder) / name, 1000); }
  bool has(const std::string& name) { return std::filesystem::exists(files_of(builder) / name); }

  Builder builder;
  AddOptions options;
};

}  // namespace

TEST_CASE("copy: a file gets the destination's name, or goes into a directory") {
  Copying shop;
  shop.copy({"a.txt"}, "/new/name");
  CHECK(shop.read("new/name") == "ctx/a.txt");
  shop.copy({"a.txt"}, "/etc");
  CHECK(shop.read("etc/a.txt") == "ctx/a.txt");
  shop.copy({"b.txt"}, "/etc/motd");
  CHECK(shop.read("etc/motd") == "ctx/b.txt");
  CHECK_THROWS_WITH_AS(shop.copy({"a.txt", "b.txt"}, "/etc/motd"),
                       doctest::Contains("destination /etc/motd already exists but is not a directory"),
                       Error);
}

TEST_CASE("copy: of a directory what is in it, without what is excluded") {
  Copying shop;
  shop.options.excludes = {"*.txt", "!b.txt", "sub"};
  shop.copy({"."}, "/all/");
  CHECK(shop.has("all/b.txt"));
  CHECK_FALSE(shop.has("all/a.txt"));
  CHECK_FALSE(shop.has("all/sub"));
}

TEST_CASE("copy: names with wildcards; none that matches is an error") {
  Copying shop;
  shop.copy({"?.txt"}, "/w/");
  CHECK(shop.has("w/a.txt"));
  CHECK(shop.has("w/b.txt"));
  CHECK_THROWS_WITH_AS(shop.copy({"*.nothing"}, "/w/"), doctest::Contains("no such file or directory"),
                       Error);
  CHECK_THROWS_WITH_AS(shop.copy({"../x"}, "/w/"),
                       doctest::Contains("possible escaping context directory error"), Error);
}

TEST_CASE("copy: links do not lead out of the context or out of the container") {
  Copying shop;
  shop.directory.write("secret", "secret");
  std::filesystem::create_symlink("../secret", shop.directory / "ctx/out");
  CHECK_THROWS_AS(shop.copy({"out"}, "/w/"), Error);
  const auto outside = shop.directory / "outside";
  os::mkdir_all(outside);
  std::filesystem::create_symlink(outside, shop.files_of(shop.builder) / "link");
  shop.copy({"a.txt"}, "/link/x");
  CHECK_FALSE(std::filesystem::exists(outside / "x"));
}

TEST_CASE("copy: the digest knows contents and names, not times") {
  Copying one, two;
  const auto digest = one.copy({"a.txt"}, "/x");
  CHECK(digest.starts_with("file:"));
  const std::timespec times[2] = {{5, 0}, {5, 0}};
  ::utimensat(AT_FDCWD, (two.directory / "ctx/a.txt").c_str(), times, 0);
  CHECK(two.copy({"a.txt"}, "/x") == digest);
  CHECK(two.copy({"b.txt"}, "/x") != digest);
  CHECK(two.copy({"a.txt", "b.txt"}, "/y/").starts_with("multi:"));
  CHECK(two.copy({"sub"}, "/z/").starts_with("dir:"));
}

TEST_CASE("copy: owner, mode and time as asked for") {
  Copying shop;
  shop.options.chown = "12:34";
  shop.options.chmod = "0640";
  shop.options.timestamp = 77;
  shop.copy({"a.txt"}, "/x");
  struct ::stat stat {};
  REQUIRE(::stat((shop.files_of(shop.builder) / "x").c_str(), &stat) == 0);
  CHECK((stat.st_mode & 07777) == 0640);
  CHECK(stat.st_mtim.tv_sec == 77);
  if (::geteuid() == 0) CHECK(std::pair(stat.st_uid, stat.st_gid) == std::pair<uid_t, gid_t>(12, 34));
  shop.options.chmod = "rw";
  CHECK_THROWS_WITH_AS(shop.copy({"a.txt"}, "/x"), doctest::Contains("parsing chmod \"rw\""), Error);
}

TEST_CASE("copy: parents stay, from the pivot on") {
  Copying shop;
  shop.options.parents = true;
  shop.copy({"sub/c.txt"}, "/p/");
  CHECK(shop.has("p/sub/c.txt"));
  shop.copy({"sub/./c.txt"}, "/q/");
  CHECK(shop.has("q/c.txt"));
}

TEST_CASE("add: archives are unpacked, copied ones are not") {
  Copying shop;
  shop.directory.write("ctx/a.tar",
                       test::make_tar({{"inside/", ""}, {"inside/f", "text"}, {"inside/.wh.g", "kept"}}));
  shop.copy({"a.tar"}, "/plain/");
  CHECK(shop.has("plain/a.tar"));
  shop.options.extract = true;
  shop.copy({"a.tar"}, "/unpacked");
  CHECK(shop.read("unpacked/inside/f") == "text");
  CHECK(shop.has("unpacked/inside/.wh.g"));
}

TEST_CASE("copy: linked content waits in a directory of its own") {
  Copying shop;
  shop.options.link = true;
  shop.copy({"a.txt"}, "/deep/er/");
  CHECK_FALSE(shop.has("deep"));
  const auto& queue = shop.builder.document()["AppendedLinkedLayers"];
  REQUIRE(queue.size() == 1);
  CHECK(os::read_file(queue[0]["BlobPath"].get<std::string>() + "/deep/er/a.txt", 100) == "ctx/a.txt");
}
