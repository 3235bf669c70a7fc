#include "store/records.hpp"

#include <doctest/doctest.h>

#include "store/record_file.hpp"
#include "store/record_table.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::store;

namespace {

const std::string a_layer =
    R"({"id":"aa","names":["x-layer"],"parent":"bb","created":"2024-01-02T03:04:05Z",)"
    R"("future":{"b":1,"a":[2.5]},"compressed-size":7,"diff-size":-1,"compression":2,)"
    R"("uidset":[0,4294967294],"flags":{"incomplete":true,"other":"x"},)"
    R"("uidmap":[{"container_id":0,"host_id":100000,"size":65536}]})";

LayerRecord layer_of(const std::string& text) {
  return LayerRecord::parse(spec::parse_json(text, "test"), "test");
}

}  // namespace

TEST_CASE("records: every member of a layer is read") {
  const auto layer = layer_of(a_layer);
  CHECK(layer.id == "aa");
  CHECK(layer.names == std::vector<std::string>{"x-layer"});
  CHECK(layer.parent == "bb");
  CHECK(layer.compressed_size == 7);
  CHECK(layer.diff_size == -1);
  CHECK(compression_of(layer) == io::Compression::gzip);
  CHECK(layer.uids == std::vector<std::uint32_t>{0, 4294967294});
  CHECK(layer.is_incomplete());
  CHECK(layer.ids.uids == std::vector<layer::IdMap>{{0, 100000, 65536}});
}

TEST_CASE("records: one that is not changed is written as it was read") {
  CHECK(spec::dump_json(layer_of(a_layer).to_json()) == a_layer);
  const std::string container =
      R"({"id":"c","names":["n"],"image":"","layer":"l","created":"x","flags":{"A":1}})";
  CHECK(spec::dump_json(ContainerRecord::parse(spec::parse_json(container, ""), "").to_json()) ==
        R"({"id":"c","names":["n"],"layer":"l","created":"x","flags":{"A":1},"image":""})");
}

TEST_CASE("records: unknown members survive an edit, in place") {
  auto layer = layer_of(a_layer);
  layer.names.clear();
  layer.parent = "cc";
  layer.set_incomplete(false);
  layer.metadata = "m";
  const std::string text = spec::dump_json(layer.to_json());
  CHECK(text.starts_with(R"({"id":"aa","parent":"cc","created")"));
  CHECK(text.find(R"("future":{"b":1,"a":[2.5]})") != std::string::npos);
  CHECK(text.find(R"("flags":{"other":"x"})") != std::string::npos);
  CHECK(text.ends_with(R"("metadata":"m"})"));
}

TEST_CASE("records: a key in another case is the same key, and there is one of it after an edit") {
  auto layer = layer_of(R"({"id":"aa","parent":"bb","Parent":"cc"})");
  CHECK(layer.parent == "cc");
  layer.parent = "dd";
  CHECK(spec::dump_json(layer.to_json()) == R"({"id":"aa","parent":"dd"})");
}

TEST_CASE("records: a new one is written in the order of containers/storage, without empty members") {
  LayerRecord layer;
  layer.id = "aa";
  layer.created = "2024-01-02T03:04:05Z";
  layer.diff_digest = spec::Digest::from_hex(spec::Digest::Algorithm::sha256, std::string(64, 'a'));
  layer.diff_size = 1024;
  CHECK(spec::dump_json(layer.to_json()) ==
        R"({"id":"aa","created":"2024-01-02T03:04:05Z","diff-digest":"sha256:)" + std::string(64, 'a') +
            R"(","diff-size":1024})");
}

TEST_CASE("records: values of a wrong type and IDs that would leave the directory are errors") {
  for (const std::string text : {R"({"id":1})", R"({"id":"a","names":"x"})", R"({"id":"a","diff-size":"1"})",
                                 R"({"id":"a","uidset":[-1]})", R"({"id":"../a"})", R"({"names":[]})",
                                 R"([])", R"({"id":"a","parent":".."})"})
    CHECK(test::kind_of([&] { layer_of(text); }) == Kind::invalid_input);
}

TEST_CASE("records: malformed files are errors that name the file") {
  const test::Directory directory;
  for (const std::string text : {"{", "{}", "[1]", R"([{"id":1}])", R"([{"id":"a"}] x)"}) {
    directory.write("layers.json", text);
    const auto error = test::error_of([&] { read_records<LayerRecord>(directory / "layers.json"); });
    CHECK(error.kind() == Kind::invalid_input);
    CHECK(std::string(error.what()).find((directory / "layers.json").string()) != std::string::npos);
  }
  directory.write("layers.json", "");
  CHECK(read_records<LayerRecord>(directory / "layers.json").empty());
  CHECK(read_records<LayerRecord>(directory / "missing.json").empty());
}

TEST_CASE("records: an image knows the digests of all its manifests") {
  const std::string one = "sha256:" + std::string(64, '1'), two = "sha256:" + std::string(64, '2');
  const auto image = ImageRecord::parse(
      spec::parse_json(R"({"id":"i","digest":")" + one + R"(","big-data-digests":{"manifest":")" + two +
                           R"(","manifest-x":")" + one + R"(","sha256:3":"sha256:3"}})",
                       ""),
      "");
  CHECK(image.digests() == std::vector{spec::Digest::parse(one), spec::Digest::parse(two)});
}

TEST_CASE("record table: look-up is by ID, then name, then unique beginning of an ID") {
  const test::Directory directory;
  directory.write("l.json",
                  R"([{"id":"abc","names":["abd"]},{"id":"abd"},{"id":"xyz","flags":{"incomplete":true}}])");
  const auto table = LayerTable::read({{Place::stable, directory / "l.json"}});
  CHECK(table.look_up("abd")->id == "abd");
  CHECK(table.look_up("ab") == nullptr);
  CHECK(table.look_up("abc")->id == "abc");
  CHECK(table.look_up("") == nullptr);
  CHECK(table.look_up("xyz") == nullptr);
  CHECK(table.find_entry("xyz") != nullptr);
}

TEST_CASE("record table: only files in which something changed are replaced") {
  const test::Directory directory;
  directory.write("stable.json", R"([ {"id":"a"} , {"id":"b","x":1} ])");
  directory.write("volatile.json", R"([{"id":"c"},{"id":"a","parent":"ignored"}])");
  auto table = LayerTable::read(
      {{Place::stable, directory / "stable.json"}, {Place::volatile_file, directory / "volatile.json"}});
  CHECK(table.entries().size() == 3);
  table.edit("c").parent = "a";
  table.write(true);
  CHECK(directory.read("stable.json") == R"([ {"id":"a"} , {"id":"b","x":1} ])");
  CHECK(directory.read("volatile.json") == R"([{"id":"c","parent":"a"}])");
  table.remove("a");
  table.write(true);
  CHECK(directory.read("stable.json") == R"([{"id":"b","x":1}])");
  CHECK(table.find("b")->id == "b");
}
