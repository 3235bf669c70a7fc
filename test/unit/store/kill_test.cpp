// A process that is killed before each of the system calls with which it changes the store.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "fixture.hpp"
#include "spec/json.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files kill_base{{"etc/", ""}, {"etc/motd", "hello"}};

// Hundreds of stores are made: in memory, where there is such a place.
class InMemory {
 public:
  InMemory() {
    if (const char* before = ::getenv("TMPDIR")) before_ = before;
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
  }
  ~InMemory() {
    if (before_.empty())
      ::unsetenv("TMPDIR");
    else
      ::setenv("TMPDIR", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

bool changes_files(const __ptrace_syscall_info& info) {
  static const std::set<std::uint64_t> calls{
#ifdef SYS_rename
      SYS_rename,   SYS_mkdir,     SYS_unlink,   SYS_rmdir,    SYS_symlink,   SYS_chmod,
#endif
      SYS_renameat, SYS_renameat2, SYS_mkdirat,  SYS_unlinkat, SYS_symlinkat, SYS_write,
      SYS_pwrite64, SYS_fchmod,    SYS_fchmodat, SYS_fsync};
  if (info.entry.nr == SYS_openat) return (info.entry.args[2] & O_CREAT) != 0;
  return calls.contains(info.entry.nr);
}

bool may_trace() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Runs `prepare` and then `work` in a child that is killed before its `count`th change. False if it came to
// its end before.
bool killed_at(int count, const std::function<std::function<void()>()>& prepare) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const auto work = prepare();
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise(SIGSTOP);
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSTOPPED(status));
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  while (true) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      return false;
    }
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_files(info) || --count > 0) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return true;
  }
}

// Every record refers to what is there.
void check_sound(const test::Place& place) {
  const auto store = place.open(Store::Access::read_only);
  for (const auto& image : store->images(background())) {
    for (const auto& layer : store->chain(background(), image.layer)) {
      const auto tar = test::diff_of(*store, layer.id);
      CHECK(io::digest_of(tar) == *layer.diff_digest);
      CHECK(place.directory.has("root/overlay/" + layer.id + "/link"));
    }
    for (const auto& key : image.big_data.names)
      CHECK_NOTHROW(store->image_big_data(background(), image.id, key));
  }
}

// Directories, links and tar-split files are those of records.
void check_no_remains(const test::Place& place) {
  const auto store = place.open();
  std::set<std::string> layers;
  for (const auto& layer : store->layers(background())) layers.insert(layer.id);
  std::set<std::string> directories, links, splits;
  for (const auto& entry : std::filesystem::directory_iterator(place.directory / "root/overlay"))
    if (entry.path().filename().string().size() == 64) directories.insert(entry.path().filename());
  for (const auto& entry : std::filesystem::directory_iterator(place.directory / "root/overlay/l"))
    links.insert(std::filesystem::read_symlink(entry.path()).parent_path().filename());
  for (const auto& entry : std::filesystem::directory_iterator(place.directory / "root/overlay-layers"))
    if (entry.path().extension() == ".gz") splits.insert(entry.path().filename().string().substr(0, 64));
  CHECK(directories == layers);
  CHECK(links == layers);
  CHECK(splits == layers);
  CHECK(std::filesystem::is_empty(place.directory / "root/overlay/tempdirs"));
  CHECK(std::filesystem::is_empty(place.directory / "root/overlay-layers/tmp"));
}

}  // namespace

TEST_CASE(
    "killed while an image is put: the store is sound, and the next put succeeds and removes the rest") {
  if (!may_trace()) return;
  const InMemory in_memory;
  int count = 0;
  for (bool killed = true; killed; ++count) {
    const test::Place place;
    const auto before = test::put(*place.open(), "before", {kill_base});
    killed = killed_at(count + 1, [&] {
      auto store = place.open();
      auto image =
          test::image_of("after", {test::layer_of(*store, kill_base), test::layer_of(*store, {{"b", "2"}}),
                                   test::layer_of(*store, {{"c", "3"}})});
      image.names.push_back("example.com/before:latest");
      return [store, image] { store->put_image(background(), image); };
    });
    INFO(count);
    check_sound(place);
    CHECK(place.open()->find_image(background(), before.id).has_value());
    const auto after = test::put(*place.open(), "after", {kill_base, {{"b", "2"}}, {{"c", "3"}}});
    CHECK(place.open()->chain(background(), after.layer).size() == 3);
    check_sound(place);
    check_no_remains(place);
  }
  CHECK(count > 30);
}

TEST_CASE("killed while an image is deleted: the others are sound, and no part of a layer remains") {
  if (!may_trace()) return;
  const InMemory in_memory;
  int count = 0;
  for (bool killed = true; killed; ++count) {
    const test::Place place;
    const auto kept = test::put(*place.open(), "kept", {kill_base});
    const auto gone = test::put(*place.open(), "gone", {kill_base, {{"b", "2"}}, {{"c", "3"}}});
    killed = killed_at(count + 1, [&] {
      auto store = place.open();
      return [store, gone] { store->delete_image(background(), gone.id); };
    });
    INFO(count);
    check_sound(place);
    check_no_remains(place);
    CHECK(test::diff_of(*place.open(), kept.layer) == test::make_tar(kill_base));
    test::put(*place.open(), "gone", {kill_base, {{"b", "2"}}, {{"c", "3"}}});
    check_sound(place);
  }
  CHECK(count > 20);
}

TEST_CASE(
    "killed while a container is created or deleted: images are sound, and no part of a layer remains") {
  if (!may_trace()) return;
  const InMemory in_memory;
  for (const bool creates : {true, false}) {
    int count = 0;
    for (bool killed = true; killed; ++count) {
      const test::Place place;
      const auto image = test::put(*place.open(), "app", {kill_base});
      NewContainer container;
      container.image = image.id;
      container.names = {"c1"};
      if (!creates) place.open()->create_container(background(), container);
      killed = killed_at(count + 1, [&]() -> std::function<void()> {
        auto store = place.open();
        if (creates) return [store, container] { store->create_container(background(), container); };
        return [store] {
          store->delete_container(background(), store->find_container(background(), "c1").value().id);
        };
      });
      INFO(count);
      check_sound(place);
      place.open();
      for (const auto& found : place.open()->containers(background()))
        CHECK(place.open()->find_layer(background(), found.layer).has_value());
      if (!place.open()->find_container(background(), "c1"))
        place.open()->create_container(background(), container);
    }
    CHECK(count > 10);
  }
}
