#include "runtime/plan.hpp"

#include <doctest/doctest.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>

#include "base/error.hpp"
#include "runtime/names.hpp"

using namespace lade;
using namespace lade::runtime;

namespace {

Host root_host() {
  Host host;
  host.capabilities = ~0ULL;
  host.cgroups = {{{}, "/sys/fs/cgroup", "/", "/c"}};
  return host;
}

Host user_host() {
  Host host;
  host.uid = host.gid = 1000;
  return host;
}

PlanOptions in_bundle() {
  PlanOptions options;
  options.root = "/b/rootfs";
  options.bundle = "/b";
  return options;
}

Spec small_spec() {
  Spec spec;
  spec.root = Root{"rootfs", false};
  Process& process = spec.process.emplace();
  process.args = {"sh"};
  process.env = {"PATH=/bin:/usr/bin"};
  spec.linux.namespaces = {{NamespaceType::mount, ""}, {NamespaceType::pid, ""}};
  return spec;
}

template <class T>
std::vector<T> steps_of(const Plan& plan) {
  std::vector<T> found;
  for (const Step& step : plan.steps) {
    if (const T* one = std::get_if<T>(&step)) found.push_back(*one);
  }
  return found;
}

Plan plan_with_mount(const Mount& mount, const Host& host = root_host()) {
  Spec spec = small_spec();
  spec.mounts = {mount};
  return plan(spec, host, in_bundle());
}

Mount bind_of(std::vector<std::string> options) {
  Mount mount;
  mount.destination = "/data";
  mount.source = "host";
  mount.options = std::move(options);
  return mount;
}

std::string plan_refusal(const Spec& spec, const Host& host = root_host()) {
  try {
    plan(spec, host, in_bundle());
  } catch (const Error& error) {
    return error.what();
  }
  return "planned";
}

}  // namespace

TEST_CASE("new namespaces are flags of clone, the root is entered by pivot_root") {
  const Plan made = plan(small_spec(), root_host(), in_bundle());
  CHECK(made.clone_flags == (CLONE_NEWNS | CLONE_NEWPID));
  CHECK_FALSE(made.needs_intermediate);
  CHECK_FALSE(made.mounts_stay);
  CHECK(steps_of<step::OpenRoot>(made).at(0).path == "/b/rootfs");
  CHECK(steps_of<step::EnterRoot>(made).at(0).how == step::EnterRoot::How::pivot);
  CHECK(steps_of<step::FindProgram>(made).at(0).candidates ==
        std::vector<std::string>{"/bin/sh", "/usr/bin/sh"});
}

TEST_CASE("masks come after mounts and hooks, and before the root is entered") {
  Spec spec = small_spec();
  Mount proc;
  proc.destination = "/proc";
  proc.type = "proc";
  spec.mounts = {proc};
  spec.hooks.create_container = {{"/hook", {}, {}, {}}};
  spec.linux.masked_paths = {"/proc/kcore"};
  const Plan made = plan(spec, root_host(), in_bundle());
  const auto position = [&](auto is) {
    return std::find_if(made.steps.begin(), made.steps.end(), is) - made.steps.begin();
  };
  const auto mount = position([](const Step& s) { return std::holds_alternative<step::MountAt>(s); });
  const auto hook = position([](const Step& s) { return std::holds_alternative<step::RunHooks>(s); });
  const auto mask = position([](const Step& s) { return std::holds_alternative<step::MaskPath>(s); });
  const auto enter = position([](const Step& s) { return std::holds_alternative<step::EnterRoot>(s); });
  CHECK(mount < hook);
  CHECK(hook < mask);
  CHECK(mask < enter);
  CHECK(steps_of<step::MountAt>(made).at(0).exactly_here);
}

TEST_CASE("namespaces that reach only children need a process in between") {
  Spec spec = small_spec();
  spec.linux.namespaces = {{NamespaceType::pid, "/proc/1/ns/pid"}, {NamespaceType::mount, ""}};
  CHECK(plan(spec, root_host(), in_bundle()).needs_intermediate);
  spec.linux.namespaces = {{NamespaceType::time, ""}, {NamespaceType::mount, ""}};
  CHECK(plan(spec, root_host(), in_bundle()).unshare_time);
  spec.linux.namespaces = {{NamespaceType::network, "/run/netns/x"}, {NamespaceType::mount, ""}};
  const Plan joined = plan(spec, root_host(), in_bundle());
  CHECK_FALSE(joined.needs_intermediate);
  CHECK(joined.joins == std::vector<Join>{{NamespaceType::network, "/run/netns/x"}});
  CHECK(steps_of<step::JoinNamespace>(joined).size() == 1);
}

TEST_CASE("a user without privileges gets the map of himself") {
  Spec spec = small_spec();
  spec.linux.namespaces.push_back({NamespaceType::user, ""});
  const Plan made = plan(spec, user_host(), in_bundle());
  REQUIRE(made.uid_mappings.size() == 1);
  CHECK(made.uid_mappings[0].host_id == 1000);
  CHECK(steps_of<step::MakeDevice>(made).at(0).bind);
  CHECK(plan_refusal(spec) == "linux.uidMappings: a new user namespace needs them");
}

TEST_CASE("options of bind mounts become attributes") {
  const auto at = steps_of<step::MountAt>(
                      plan_with_mount(bind_of({"rbind", "ro", "nosuid", "rw", "exec", "rro", "rprivate"})))
                      .at(0);
  CHECK(at.is_bind());
  CHECK(at.source == "/b/host");
  CHECK((at.flags & MS_REC) != 0);
  CHECK(at.attributes == MOUNT_ATTR_NOSUID);
  CHECK(at.clear == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC));
  CHECK(at.recursive_attributes == MOUNT_ATTR_RDONLY);
  CHECK(at.propagation == std::vector<unsigned long>{MS_PRIVATE | MS_REC});
}

TEST_CASE("access times are one value of three") {
  const auto noatime = steps_of<step::MountAt>(plan_with_mount(bind_of({"bind", "noatime"}))).at(0);
  CHECK(noatime.attributes == MOUNT_ATTR_NOATIME);
  CHECK(noatime.clear == MOUNT_ATTR__ATIME);
  const auto relatime = steps_of<step::MountAt>(plan_with_mount(bind_of({"bind", "rrelatime"}))).at(0);
  CHECK(relatime.recursive_clear == MOUNT_ATTR__ATIME);
}

TEST_CASE("options that nobody knows are for the file system") {
  Mount mount;
  mount.destination = "tmp";
  mount.type = mount.source = "tmpfs";
  mount.options = {"nosuid", "size=1k", "tmpcopyup", "mode=700"};
  const auto at = steps_of<step::MountAt>(plan_with_mount(mount)).at(0);
  CHECK(at.target == "/tmp");
  CHECK(at.data == "size=1k,mode=700");
  CHECK(at.flags == MS_NOSUID);
  CHECK(at.copy_up);
  CHECK_FALSE(at.keep_mode);
}

TEST_CASE("mounts with mapped ids are opened before the namespaces are made") {
  Mount mount = bind_of({"bind", "idmap"});
  CHECK_THROWS_AS(plan_with_mount(mount), Error);
  mount.uid_mappings = mount.gid_mappings = {{0, 100000, 65536}};
  const Plan made = plan_with_mount(mount);
  REQUIRE(made.sources.size() == 1);
  CHECK(made.sources[0].idmap);
  CHECK(steps_of<step::MountAt>(made).at(0).source_fd == 0U);
}

TEST_CASE("cgroups are mounted as the host has them") {
  Mount mount;
  mount.destination = "/sys/fs/cgroup";
  mount.type = "cgroup";
  mount.options = {"ro"};
  const auto bound = steps_of<step::MountAt>(plan_with_mount(mount)).at(0);
  CHECK(bound.is_bind());
  CHECK(bound.source == "/sys/fs/cgroup/c");
  Host hybrid = root_host();
  hybrid.cgroups = {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/", "/c"},
                    {{}, "/sys/fs/cgroup/unified", "/", "/c"}};
  const Plan made = plan_with_mount(mount, hybrid);
  const auto mounts = steps_of<step::MountAt>(made);
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[0].type == "tmpfs");
  CHECK(mounts[1].source == "/sys/fs/cgroup/cpu,cpuacct/c");
  CHECK(mounts[2].target == "/sys/fs/cgroup/unified");
  CHECK((mounts[3].flags & MS_REMOUNT) != 0);
}

TEST_CASE("a configuration that contradicts itself is refused with the member's name") {
  Spec spec = small_spec();
  spec.hostname = "h";
  CHECK(plan_refusal(spec) == "hostname: there is no uts namespace");
  spec = small_spec();
  spec.linux.namespaces.push_back({NamespaceType::pid, ""});
  CHECK(plan_refusal(spec) == "linux.namespaces: pid occurs twice");
  spec = small_spec();
  spec.linux.sysctl = {{"kernel.panic", "1"}};
  CHECK(plan_refusal(spec) == "linux.sysctl: kernel.panic belongs to no namespace");
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  CHECK(plan_refusal(spec) == "linux.sysctl: net.ipv4.ip_forward is the host's without a network namespace");
  spec = small_spec();
  spec.process->cwd = "tmp";
  CHECK(plan_refusal(spec) == "process.cwd: tmp is not an absolute path");
  spec = small_spec();
  spec.process->args.clear();
  CHECK(plan_refusal(spec) == "process.args: is empty");
  spec = small_spec();
  spec.linux.rootfs_propagation = "ro";
  CHECK(plan_refusal(spec) == R"(linux.rootfsPropagation: unknown word "ro")");
}

TEST_CASE("names of sysctls become paths below /proc/sys and nowhere else") {
  Spec spec = small_spec();
  spec.linux.namespaces.push_back({NamespaceType::network, ""});
  spec.linux.sysctl = {{"net.ipv4.conf.eth0/1.forwarding", "1"}};
  CHECK(steps_of<step::WriteSysctl>(plan(spec, root_host(), in_bundle())).at(0).path ==
        "net/ipv4/conf/eth0.1/forwarding");
  for (const char* name : {"net/../kernel/panic", "net.ipv4.//.x", "/etc/passwd", ""}) {
    CAPTURE(name);
    spec.linux.sysctl = {{name, "1"}};
    CHECK(plan_refusal(spec) != "planned");
  }
}

TEST_CASE("devices keep to numbers that there are") {
  Spec spec = small_spec();
  spec.linux.devices = {{"/dev/x", 'c', 5000, 1, {}, {}, {}}};
  CHECK(plan_refusal(spec) == "linux.devices: /dev/x: there is no device of such a number");
  spec.linux.devices = {{"dev/x", 'c', 1, 1, {}, {}, {}}};
  CHECK(plan_refusal(spec) == "linux.devices: dev/x: the path is not absolute");
}

TEST_CASE("lists of processors are read") {
  CHECK(parse_cpu_list("0-2,5") == std::vector<unsigned>{0, 1, 2, 5});
  for (const char* list : {"a", "2-1", "1-", "0-99999999"}) CHECK_FALSE(parse_cpu_list(list).has_value());
}

TEST_CASE("hierarchies of cgroups are found where they are mounted") {
  const auto found =
      parse_cgroups("4:cpu,cpuacct:/a\n1:name=systemd:/\n0::/b\n",
                    "30 1 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                    "31 1 0:27 /b /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n");
  REQUIRE(found.size() == 2);
  CHECK(found[0].own_path == "/a");
  CHECK(found[1].is_unified());
  CHECK(found[1].mount_point == "/sys/fs/cgroup/uni fied");
  CHECK(found[1].own_path == "/");
}
