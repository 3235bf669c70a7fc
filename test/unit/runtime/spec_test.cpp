#include "runtime/spec.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.hpp"
#include "runtime/record.hpp"
#include "runtime/runtime.hpp"

using namespace lade;
using namespace lade::runtime;

namespace {

std::string refusal(std::string_view text) {
  try {
    parse_spec(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("what was written is read again as the same value") {
  const Spec spec = default_spec(false, 0, 0);
  const std::string text = spec::dump_json(to_json(spec));
  CHECK(spec::dump_json(to_json(parse_spec(text))) == text);
  CHECK(parse_spec(text).process->capabilities->bounding.size() == 3);
}

TEST_CASE("members of all kinds are read") {
  const Spec spec = parse_spec(R"({"ociVersion":"1.0.2-dev","unknown":{"x":[1]},
    "process":{"user":{"uid":1,"gid":2,"umask":18},"cwd":"/","oomScoreAdj":-5},
    "linux":{"devices":[{"path":"/dev/x","type":"c","major":10,"minor":229}],
             "resources":{"memory":{"limit":-1},"pids":{"limit":7}},
             "netDevices":{"eth0":{"name":"inner"},"eth1":{}},
             "timeOffsets":{"boottime":{"secs":-3}}}})");
  CHECK(spec.linux.net_devices.at("eth0").name == "inner");
  CHECK(spec.process->user.umask == 18U);
  CHECK(*spec.process->oom_score_adj == -5);
  CHECK(spec.linux.devices.at(0).minor == 229);
  CHECK(*spec.linux.resources->memory.limit == -1);
  CHECK(*spec.linux.resources->pids.limit == 7);
  CHECK(spec.linux.time_offsets.at("boottime").secs == -3);
}

TEST_CASE("a refusal names the member") {
  CHECK(refusal("[]") == "config.json:  is not an object");
  CHECK(refusal(R"({})") == "config.json: ociVersion is missing");
  CHECK(refusal(R"({"ociVersion":"1.0.0","process":{"cwd":"/"}})") == "config.json: process.user is missing");
  CHECK(refusal(R"({"ociVersion":"1.0.0","mounts":[{"destination":1}]})") ==
        "config.json: mounts[0].destination is not a string");
  CHECK(refusal(R"({"ociVersion":"1.0.0","linux":{"namespaces":[{"type":"x"}]}})") ==
        R"(config.json: linux.namespaces[0].type names an unknown namespace "x")");
}

TEST_CASE("hostile values are refused") {
  CHECK(refusal("{\"ociVersion\":\"1.0.0\",\"hostname\":\"a\\u0000b\"}") ==
        "config.json: hostname holds a NUL character");
  CHECK(refusal(R"({"ociVersion":"1.0.0","process":{"user":{"uid":4294967296,"gid":0},"cwd":"/"}})") ==
        "config.json: process.user.uid is out of range");
  CHECK(refusal(R"({"ociVersion":"1.0.0","process":{"user":{"uid":-1,"gid":0},"cwd":"/"}})") ==
        "config.json: process.user.uid is out of range");
  CHECK(refusal(R"({"ociVersion":"1.0.0","linux":{"devices":[{"path":"/x","type":"cc"}]}})") ==
        "config.json: linux.devices[0].type is not one character");
  const std::string deep = std::string(100, '[').append(100, ']');
  CHECK(refusal(deep).find("nested deeper") != std::string::npos);
}

TEST_CASE("versions 1.x are read, others are not") {
  CHECK(refusal(R"({"ociVersion":"1.3.0"})") == "accepted");
  CHECK(refusal(R"({"ociVersion":"1.0.0-rc5+dev"})") == "accepted");
  for (const char* version : {"2.0.0", "0.2.0", "1", "1.0", "1..0", "1.a.0", "", "1.0.0.0"}) {
    CAPTURE(version);
    std::string text = R"({"ociVersion":")";
    text.append(version).append("\"}");
    CHECK(refusal(text) != "accepted");
  }
}

TEST_CASE("ids are names of files") {
  for (const char* id : {"a", "A-b_c.d+1", "0"}) CHECK_NOTHROW(check_id(id));
  for (const char* id : {"", ".", "..", "a/b", "../a", "a b", "a\n"}) CHECK_THROWS_AS(check_id(id), Error);
}

TEST_CASE("signals have names and numbers") {
  CHECK(parse_signal("9") == 9);
  CHECK(parse_signal("KILL") == 9);
  CHECK(parse_signal("SIGterm") == 15);
  CHECK(parse_signal("RTMIN+3") == 37);
  for (const char* word : {"", "SIG", "65", "-1", "9x", "RTMIN+99"})
    CHECK_THROWS_AS(parse_signal(word), Error);
}

TEST_CASE("the record of a container survives being written") {
  Record record;
  record.id = "c";
  record.process = {7, 1234567890123};
  record.created = true;
  record.annotations = {{"a", "b"}};
  record.cgroups = {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu", "/x"}};
  const std::string text = spec::dump_json(to_json(record));
  CHECK(spec::dump_json(to_json(parse_record(text))) == text);
  CHECK_THROWS_AS(parse_record("{"), Error);
  CHECK_THROWS_AS(parse_record(R"({"cgroups":[1]})"), Error);
}

TEST_CASE("this process is alive, and another of its number is not it") {
  const auto self = identify_process(::getpid());
  REQUIRE(self.has_value());
  CHECK(is_alive(*self));
  CHECK_FALSE(is_alive({self->pid, self->start_time + 1}));
  CHECK_FALSE(is_alive({0, 0}));
}
