#include "config/storage_conf.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

namespace {

const std::string user = "home/.config/containers/", etc = "root/etc/containers/";

std::string storage(const std::string& keys, const std::string& options = "") {
  return "[storage]\n" + keys + "\n[storage.options]\n" + options + "\n";
}

std::string graph_root_of(const test::Machine& machine) {
  return load_store_options(machine.environment).graph_root.string();
}

}  // namespace

TEST_CASE("storage: without any file, a user's store is below the home directory") {
  const test::Machine machine;
  const auto options = load_store_options(machine.environment);
  CHECK(options.graph_root == machine.path("home/.local/share/containers/storage"));
  CHECK(options.run_root == machine.path("run/containers"));
  CHECK(options.rootless);
  CHECK(options.driver == "");
  CHECK(options.files.empty());
}

TEST_CASE("storage: root's store is below /var/lib and /run") {
  test::Machine machine;
  machine.environment.uid = 0;
  machine.environment.privileged = true;
  const auto options = load_store_options(machine.environment);
  CHECK(options.graph_root == machine.path("root/var/lib/containers/storage"));
  CHECK(options.run_root == machine.path("root/run/containers/storage"));
  CHECK_FALSE(options.rootless);
  machine.environment.privileged = false;
  CHECK(load_store_options(machine.environment).rootless);
}

TEST_CASE("storage: the files that decided are listed, main file first") {
  const test::Machine machine;
  machine.write(etc + "storage.conf", storage("driver = \"vfs\"\ngraphroot = \"/from/etc\""));
  machine.write(etc + "storage.conf.d/10-a.conf", storage("graphroot = \"/from/drop-in\""));
  const auto options = load_store_options(machine.environment);
  CHECK(options.driver == "vfs");
  CHECK(options.graph_root == "/from/drop-in");
  CHECK(options.files ==
        std::vector{machine.path(etc + "storage.conf"), machine.path(etc + "storage.conf.d/10-a.conf")});
}

TEST_CASE("storage: variables and $UID in paths are expanded") {
  test::Machine machine;
  machine.set("USER", "alice");
  machine.write(user + "storage.conf", storage("graphroot = \"/dev/shm/$USER/root\"\n"
                                               "runroot = \"/run/${USER}x/$UID$UNSET/a$/b\""));
  const auto options = load_store_options(machine.environment);
  CHECK(options.graph_root == "/dev/shm/alice/root");
  CHECK(options.run_root == "/run/alicex/1000/a$/b");
}

TEST_CASE("storage: links in paths are resolved") {
  const test::Machine machine;
  os::mkdir_all(machine.directory / "real");
  REQUIRE(::symlink(machine.path("real").c_str(), machine.path("link").c_str()) == 0);
  machine.write(user + "storage.conf", storage("graphroot = \"" + machine.path("link") + "\""));
  CHECK(graph_root_of(machine) == machine.path("real"));
}

TEST_CASE("storage: the deprecated rootless_storage_path counts for users, unless there is a graphroot") {
  test::Machine machine;
  machine.write(etc + "storage.conf", storage("rootless_storage_path = \"/old/$UID\""));
  CHECK(graph_root_of(machine) == "/old/1000");
  machine.write(user + "storage.conf", storage("rootless_storage_path = \"/old\"\ngraphroot = \"/new\""));
  CHECK(graph_root_of(machine) == "/new");
  machine.environment.uid = 0;
  machine.environment.home.clear();
  CHECK(graph_root_of(machine) == machine.path("root/var/lib/containers/storage"));
}

TEST_CASE("storage: options of tables become options of drivers, and the driver's own table wins") {
  const test::Machine machine;
  machine.write(
      user + "storage.conf",
      storage("driver = \"overlay2\"",
              "mountopt = \"nodev\"\nignore_chown_errors = \"true\"\nadditionalimagestores = [\"/a\"]\n"
              "[storage.options.overlay]\nmountopt = \"nodev,metacopy=on\"\n"
              "mount_program = \"/usr/bin/fuse-overlayfs\"\nskip_mount_home = true\n"));
  const auto options = load_store_options(machine.environment);
  CHECK(options.driver == "overlay");
  const auto overlay = options.for_driver("overlay");
  CHECK(overlay.mountopt == "nodev,metacopy=on");
  CHECK(overlay.mount_program == "/usr/bin/fuse-overlayfs");
  CHECK(overlay.ignore_chown_errors);
  CHECK(overlay.skip_mount_home);
  CHECK(overlay.additional_image_stores == std::vector<std::filesystem::path>{"/a"});
  const auto vfs = options.for_driver("vfs");
  CHECK(vfs.mount_program == "");
  CHECK(vfs.ignore_chown_errors);
}

TEST_CASE("storage: partial pulls are off unless they are asked for, and what has no effect is told") {
  const test::Machine machine;
  const auto pull = [&] { return load_store_options(machine.environment).pull; };
  CHECK_FALSE(pull().enable_partial_images);
  machine.write(etc + "storage.conf", storage("", "[storage.options.pull_options]\nenable_partial_images = \"True\"\n"
                                                  "use_hard_links = \"false\"\nostree_repos = \"\"\n"));
  CHECK(pull().enable_partial_images);
  CHECK(pull().unsupported.empty());
  machine.write(etc + "storage.conf.d/1.conf",
                storage("", "[storage.options.pull_options]\nconvert_images = \"true\"\nostree_repos = \"/a\"\n"));
  CHECK(pull().enable_partial_images);
  CHECK(pull().unsupported == std::vector<std::string>{"convert_images", "ostree_repos"});
  machine.write(etc + "storage.conf.d/2.conf",
                storage("", "[storage.options.pull_options]\nenable_partial_images = \"1\"\n"));
  CHECK_FALSE(pull().enable_partial_images);
}

TEST_CASE("storage: lists replace earlier ones unless they say append") {
  const test::Machine machine;
  const auto stores = [](const std::string& list) { return storage("", "additionalimagestores = " + list); };
  machine.write(etc + "storage.conf", stores("[\"/a\"]"));
  machine.write(etc + "storage.conf.d/1.conf", stores("[\"/b\"]"));
  machine.write(etc + "storage.conf.d/2.conf", stores("[\"/c\", {append=true}]"));
  machine.write(etc + "storage.conf.d/3.conf", stores("[\"/d\"]"));
  const auto found = load_store_options(machine.environment).for_driver("overlay").additional_image_stores;
  CHECK(found == std::vector<std::filesystem::path>{"/b", "/c", "/d"});
}

TEST_CASE("storage: the environment overrides the driver and replaces its options") {
  test::Machine machine;
  machine.write(user + "storage.conf", storage("driver = \"overlay\"", "mountopt = \"nodev\""));
  machine.set("STORAGE_DRIVER", "vfs");
  machine.set("STORAGE_OPTS", "vfs.ignore_chown_errors=true,overlay.mountopt=x");
  const auto options = load_store_options(machine.environment);
  CHECK(options.driver == "vfs");
  CHECK(options.for_driver("vfs").ignore_chown_errors);
  CHECK(options.for_driver("overlay").mountopt == "x");
}

TEST_CASE("storage: an explicit place leaves the configuration's options of drivers out") {
  const test::Machine machine;
  machine.write(user + "storage.conf",
                storage("driver = \"overlay\"\nrunroot = \"/conf/run\"", "mountopt = \"nodev\""));
  StoreOverrides overrides;
  overrides.graph_root = "/given/root";
  const auto options = load_store_options(machine.environment, overrides);
  CHECK(options.graph_root == "/given/root");
  CHECK(options.run_root == "/conf/run");
  CHECK(options.driver == "");
  CHECK(options.driver_priority == std::vector<std::string>{"overlay"});
  CHECK(options.driver_options.empty());
}

TEST_CASE("storage: malformed options and relative paths are refused") {
  const test::Machine machine;
  StoreOptions options;
  options.driver_options = {"overlay.nonsense=1"};
  CHECK(test::message_of([&] { options.for_driver("overlay"); }) == "overlay: unknown option nonsense");
  CHECK_NOTHROW(options.for_driver("vfs"));
  options.driver_options = {"mountopt"};
  CHECK(test::message_of([&] { options.for_driver("vfs"); }) == "unable to parse key/value option: mountopt");
  options.driver_options = {"imagestore=relative"};
  CHECK(test::kind_of([&] { options.for_driver("overlay"); }) == Kind::invalid_input);
  machine.write(user + "storage.conf", storage("graphroot = \"relative\""));
  CHECK(test::message_of([&] { load_store_options(machine.environment); }) ==
        "path name is not absolute: \"relative\"");
  machine.write(user + "storage.conf", "[storage\n");
  CHECK(test::kind_of([&] { load_store_options(machine.environment); }) == Kind::invalid_input);
}

TEST_CASE("storage: runtime data without XDG_RUNTIME_DIR goes to a directory that is nobody else's") {
  test::Machine machine;
  machine.environment.variables.erase("XDG_RUNTIME_DIR");
  machine.set("TMPDIR", machine.path("tmp"));
  os::mkdir_all(machine.directory / "tmp");
  CHECK(load_store_options(machine.environment).run_root == machine.path("tmp/storage-run-1000/containers"));
  os::mkdir_all(machine.directory / "root/run/user/1000", 0700);
  CHECK(load_store_options(machine.environment).run_root == machine.path("root/run/user/1000/containers"));
  REQUIRE(::chmod(machine.path("root/run/user/1000").c_str(), 0777) == 0);
  REQUIRE(::chmod(machine.path("tmp/storage-run-1000").c_str(), 0777) == 0);
  CHECK(test::kind_of([&] { load_store_options(machine.environment); }) == Kind::invalid_input);
}

TEST_CASE("storage: a graphroot that older programs do not see is warned of when they have a store") {
  const test::Machine machine;
  machine.write(etc + "storage.conf", storage("graphroot = \"/system/root\""));
  CHECK(load_store_options(machine.environment).warnings.empty());
  os::mkdir_all(machine.directory / "home/.local/share/containers/storage");
  CHECK(load_store_options(machine.environment).warnings.size() == 1);
  machine.write(user + "storage.conf", storage("graphroot = \"/own/root\""));
  CHECK(load_store_options(machine.environment).warnings.empty());
}
