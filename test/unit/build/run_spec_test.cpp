#include "build/run_spec.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "build/capabilities.hpp"
#include "build/run_files.hpp"
#include "build/ulimits.hpp"
#include "runtime/spec.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::build;

namespace {

struct Asked {
  Builder builder = Builder::make("c", "0123456789abcdef");
  RunOptions options;
  SpecInput input;
  config::ContainersConf conf;

  Asked() {
    options.command = {"true"};
    input.root = "/merged";
    input.working_directory = "/";
    input.hostname = "h";
    builder.document()["CommonBuildOpts"]["SeccompProfilePath"] = "unconfined";
  }
  runtime::Spec spec() const {
    return runtime::parse_spec(spec::dump_json(runtime_spec(builder, options, input, conf)));
  }
};

}  // namespace

TEST_CASE("run: root gets the default capabilities, others none to begin with") {
  Asked asked;
  CHECK(asked.spec().process->capabilities->effective.size() == asked.conf.default_capabilities.size());
  asked.input.user.uid = 5;
  const auto spec = asked.spec();
  CHECK(spec.process->capabilities->effective.empty());
  CHECK(spec.process->capabilities->bounding.size() == asked.conf.default_capabilities.size());
}

TEST_CASE("run: namespaces of the host are shared, those given are joined") {
  Asked asked;
  asked.input.namespaces = {{"pid", true, ""}, {"ipc", false, "/proc/1/ns/ipc"}};
  asked.input.network_namespace = "/run/netns/x";
  const auto spec = asked.spec();
  CHECK(spec.linux.find(runtime::NamespaceType::pid) == nullptr);
  CHECK(spec.linux.find(runtime::NamespaceType::ipc)->path == "/proc/1/ns/ipc");
  CHECK(spec.linux.find(runtime::NamespaceType::network)->path == "/run/netns/x");
  CHECK(spec.linux.find(runtime::NamespaceType::uts)->path.empty());
}

TEST_CASE("run: limits of the container are there") {
  Asked asked;
  auto& common = asked.builder.document()["CommonBuildOpts"];
  common["Ulimit"] = {"nofile=10:20", "core=-1"};
  common["Memory"] = 1 << 20;
  common["Masks"] = {"/proc/x"};
  common["Unmasks"] = {"/proc/kcore"};
  const auto spec = asked.spec();
  const auto limit = std::ranges::find(spec.process->rlimits, "RLIMIT_NOFILE",
                                       [](const runtime::Rlimit& l) { return l.type; });
  REQUIRE(limit != spec.process->rlimits.end());
  CHECK(limit->soft == 10);
  CHECK(limit->hard == 20);
  CHECK(spec.linux.resources->memory.limit == 1 << 20);
  CHECK(std::ranges::count(spec.linux.masked_paths, "/proc/x") == 1);
  CHECK(std::ranges::count(spec.linux.masked_paths, "/proc/kcore") == 0);
}

TEST_CASE("run: what is mounted by hand takes the place of what is usual") {
  Asked asked;
  asked.input.mounts = {{"/dev/shm", "tmpfs", "tmpfs", {"size=1k"}}};
  const auto spec = asked.spec();
  CHECK(std::ranges::count(spec.mounts, "/dev/shm", [](const runtime::Mount& m) { return m.destination; }) ==
        1);
}

TEST_CASE("run: a device that is none is refused") {
  Asked asked;
  asked.options.devices = {"/dev/null:/dev/nothing:r"};
  CHECK(asked.spec().linux.devices[0].path == "/dev/nothing");
  asked.options.devices = {"/etc/passwd"};
  CHECK_THROWS_AS(asked.spec(), Error);
  asked.options.devices = {"/dev/null:/x:q"};
  CHECK_THROWS_AS(asked.spec(), Error);
}

TEST_CASE("capabilities: names in any spelling; all, and all but some") {
  CHECK(capability_named("chown") == "CAP_CHOWN");
  CHECK_THROWS_WITH(capability_named("bogus"), "\"CAP_BOGUS\": unknown capability");
  CHECK(merge_capabilities({"CHOWN", "KILL"}, {"mknod"}, {"kill"}) ==
        std::vector<std::string>{"CAP_CHOWN", "CAP_MKNOD"});
  CHECK(merge_capabilities({"CHOWN"}, {"kill"}, {"all"}) == std::vector<std::string>{"CAP_KILL"});
  CHECK(merge_capabilities({}, {"all"}, {"kill"}).size() == all_capabilities().size() - 1);
  CHECK_THROWS_AS(merge_capabilities({}, {"kill"}, {"kill"}), Error);
}

TEST_CASE("ulimits: soft and hard, unlimited, and what is none") {
  CHECK(parse_ulimit("core=-1").hard == UINT64_MAX);
  CHECK(parse_ulimit("nofile=5").hard == 5);
  for (const char* bad : {"nofile", "bogus=1", "nofile=x", "nofile=3:2"})
    CHECK_THROWS_AS(parse_ulimit(bad), Error);
}

TEST_CASE("seccomp: rules of a profile hold for the capabilities that there are") {
  const test::Directory directory;
  directory.write("p.json", R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[
    {"names":["read"],"action":"SCMP_ACT_ALLOW"},
    {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
    {"names":["clone"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
    {"names":["never"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"99.0"}}]})");
  const std::string path = (directory / "p.json").string();
  const auto names = [&](const std::vector<std::string>& capabilities) {
    std::string all;
    const auto filter = seccomp_filter(path, capabilities);
    for (const auto& rule : filter["syscalls"]) all += rule["names"][0].get<std::string>() + " ";
    return all;
  };
  CHECK(names({}) == "read clone ");
  CHECK(names({"CAP_SYS_ADMIN"}) == "read mount ");
}

TEST_CASE("run: hosts and resolv.conf are the host's with what was added") {
  const auto hosts = hosts_text({"127.0.0.1 localhost\n", {"db:10.0.0.9"}, "h", "c", "10.88.0.5"});
  CHECK(hosts == "10.0.0.9\tdb\n127.0.0.1 localhost\n10.88.0.5\th c\n");
  // Nobody loses a name that was there.
  CHECK(hosts_text({"10.1.1.1 h # c\n", {"gate:host-gateway"}, "h", "c", "10.88.0.5", "10.2.2.2"}) ==
        "10.2.2.2\tgate\n10.1.1.1 h # c\n127.0.0.1\tlocalhost\n::1\tlocalhost\n"
        "10.2.2.2\thost.containers.internal host.docker.internal\n10.88.0.5\tc\n");
  CHECK(hostname_of_container(":a_b-4-:") == "ab-4");
  CHECK(local_address("") != "127.0.0.1");
  ResolvRequest request{"search a b\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n", {}, {}, {"ndots:1"}, true};
  CHECK(resolv_text(request) == "search a b\nnameserver 9.9.9.9\noptions ndots:1\n");
  request.servers = {"1.1.1.1"};
  CHECK(resolv_text(request) == "search a b\nnameserver 1.1.1.1\noptions ndots:1\n");
}
