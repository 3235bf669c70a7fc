// zstd:chunked layers into a local store, from registries that are well and not so well behaved.
#include <doctest/doctest.h>

#include <functional>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "layer/chunked_compressor.hpp"
#include "layer/chunked_toc.hpp"
#include "os/file.hpp"
#include "store/store.hpp"

using namespace lade;
using namespace lade::test;

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

struct ChunkedLayer {
  explicit ChunkedLayer(const Files& files) : tar(make_tar(files)) {
    layer::ChunkedCompressor compressor(io::make_text_reader(tar), 3);
    blob = make_blob(spec::media_type::oci_layer_zstd, read_text(compressor));
    blob.descriptor.annotations = compressor.annotations();
  }
  layer::TocPosition position() const { return *layer::find_toc_position(blob.descriptor.annotations); }

  std::string tar;
  TestBlob blob = make_blob("", "");
};

// A registry with one blob.
class Parts final : public transport::BlobPartSource {
 public:
  explicit Parts(const ChunkedLayer& layer) : bytes(layer.blob.bytes) {}

  std::unique_ptr<io::Reader> blob_parts(const Context&, const spec::Descriptor& blob,
                                         const std::vector<io::ByteRange>& parts) override {
    ++requests;
    if (!serves_ranges) return nullptr;
    REQUIRE_FALSE(parts.empty());
    std::string text;
    std::uint64_t end = 0;
    for (const auto& part : parts) {
      REQUIRE(part.offset >= end);
      REQUIRE(part.size > 0);
      end = part.end();
      REQUIRE(end <= blob.size);
      text += bytes.substr(part.offset, part.size);
    }
    fetched += text.size();
    if (requests > good_requests) text.resize(text.size() - 1);
    return io::make_text_reader(text);
  }

  std::string bytes;
  bool serves_ranges = true;
  int good_requests = 100;  // those that follow end early
  int requests = 0;
  std::size_t fetched = 0;
};

class LastLine final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view text) noexcept override { last = text; }
  std::string last;
};

struct PartialStore {
  explicit PartialStore(std::string driver = "overlay") {
    options.store.emplace();
    auto& store = *options.store;
    store.driver = std::move(driver);
    store.graph_root = directory / "root";
    store.run_root = directory / "run";
    store.driver_options = {"ignore_chown_errors=true"};
    store.pull.enable_partial_images = true;
    if (store.driver != "overlay") return;
    store.driver_options.push_back("overlay.skip_mount_home=true");
    os::mkdir_all(store.graph_root / "overlay");
    os::write_file(store.graph_root / "overlay/.has-mount-program", "false");
  }

  std::unique_ptr<transport::ImageDestination> destination() const {
    return transport::parse_image_name("containers-storage:example.com/app:1")
        ->open_destination(background(), options);
  }
  std::shared_ptr<store::Store> open() const { return store::Store::open(background(), *options.store); }

  // An image of this one layer; false if it has to be pulled whole.
  bool pull(const ChunkedLayer& layer, Parts& parts, const std::string& config_tar) {
    const auto to = destination();
    const Context quiet = background();
    const Context context{quiet.stop, log, quiet.progress, quiet.clock};
    if (!to->partial_destination()->put_parts(context, layer.blob.descriptor, parts)) return false;
    const auto config = make_blob(
        spec::media_type::oci_config,
        R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[")" +
            io::digest_of(config_tar).str() + "\"]}}");
    put(*to, config, true);
    const auto manifest =
        spec::Manifest::make(spec::media_type::oci_manifest, config.descriptor, {layer.blob.descriptor});
    const std::string bytes = manifest.serialize();
    to->put_manifest(background(), {bytes, manifest.media_type(), io::digest_of(bytes)}, std::nullopt);
    to->commit(background());
    return true;
  }
  bool pull(const ChunkedLayer& layer, Parts& parts) { return pull(layer, parts, layer.tar); }
  void pull(const ChunkedLayer& layer) {
    Parts parts(layer);
    REQUIRE(pull(layer, parts));
  }

  Directory directory;
  transport::Options options;
  LastLine log;
};

Files many_files(const std::string& changed) {
  Files files{{"d/", ""}};
  for (std::size_t i = 0; i < 40; ++i)
    files.emplace_back("d/" + std::to_string(i), random_bytes(9000, i + 1));
  files[20].second = changed;
  return files;
}

// Why a layer is pulled whole; "" if it is not. Nothing is left behind.
std::string reason(PartialStore& store, const ChunkedLayer& layer, Parts& parts) {
  const auto before = store.open()->layers(background()).size();
  if (store.pull(layer, parts)) return "";
  CHECK(store.open()->layers(background()).size() == before);
  const std::string start = "blob " + layer.blob.descriptor.digest.str() + " is pulled whole: ";
  CHECK(store.log.last.starts_with(start));
  return store.log.last.substr(std::min(start.size(), store.log.last.size()));
}

std::string reason(PartialStore& store, const ChunkedLayer& layer) {
  Parts parts(layer);
  return reason(store, layer, parts);
}

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("partial pull: the layer is the one that a whole pull makes, with its table of contents") {
  const ChunkedLayer layer(many_files("one"));
  PartialStore partial, whole;
  partial.pull(layer);
  const auto to = whole.destination();
  put(*to, layer.blob);
  const auto store = partial.open();
  const auto record = store->layers(background()).at(0);
  CHECK(record.id == io::digest_of(layer.tar).hex());
  CHECK(record.diff_digest == io::digest_of(layer.tar));
  CHECK(record.diff_size == static_cast<std::int64_t>(layer.tar.size()));
  CHECK(record.toc_digest == layer::find_toc_digest(layer.blob.descriptor.annotations));
  CHECK_FALSE(record.compressed_digest);  // the blob was never seen
  CHECK(record.big_data_names ==
        std::vector<std::string>{"zstd-chunked-manifest", "zstd-chunked-layer-data"});
  CHECK(store->layer_toc(background(), record.id)->size() == layer.position().toc.plain_size);
  CHECK(read_text(*store->open_diff(background(), record.id)) == layer.tar);
}

TEST_CASE("partial pull: of a second version only what has changed is fetched") {
  PartialStore store;
  store.pull(ChunkedLayer(many_files("one")));
  const ChunkedLayer second(many_files(random_bytes(9000, 99)));
  Parts parts(second);
  CHECK(store.pull(second, parts));
  CHECK(parts.requests == 2);
  CHECK(parts.fetched < second.blob.bytes.size() / 10);
}

TEST_CASE("partial pull: a layer of the same table of contents is not fetched again") {
  PartialStore store;
  const ChunkedLayer layer(many_files("one"));
  store.pull(layer);
  Parts parts(layer);
  CHECK(store.pull(layer, parts));
  CHECK(parts.requests == 0);
}

TEST_CASE("partial pull: where only the digest of the table is known, the footer has its place") {
  PartialStore store;
  ChunkedLayer layer(many_files("one"));
  layer.blob.descriptor.annotations.erase(std::string(layer::chunked_annotation::toc_position));
  Parts parts(layer);
  CHECK(reason(store, layer, parts) == "");
  CHECK(parts.requests == 3);
}

TEST_CASE("partial pull: the config has the last word on what the layer is") {
  PartialStore store;
  const ChunkedLayer layer(many_files("one"));
  Parts parts(layer);
  CHECK(kind_of([&] { store.pull(layer, parts, "another tar"); }) == Kind::integrity);
  CHECK(store.open()->layers(background()).empty());
}

TEST_CASE("partial pull: without leave, a table, or a driver for it, layers are pulled whole") {
  const ChunkedLayer layer(many_files("one"));
  PartialStore forbidden, vfs("vfs"), store;
  forbidden.options.store->pull.enable_partial_images = false;
  CHECK(reason(forbidden, layer) == "enable_partial_images is not set in storage.conf");
  CHECK(contains(reason(vfs, layer), "\"vfs\" has no partial pulls"));
  ChunkedLayer plain = layer;
  plain.blob.descriptor.annotations.clear();
  Parts parts(plain);
  CHECK_FALSE(store.pull(plain, parts));
  CHECK(parts.requests == 0);
}

TEST_CASE("partial pull: a registry that serves no ranges, or too little of them, is asked for all") {
  const ChunkedLayer layer(many_files("one"));
  PartialStore store;
  Parts none(layer), short_table(layer), short_files(layer);
  none.serves_ranges = false;
  CHECK(reason(store, layer, none) == "the source does not give parts of blobs");
  short_table.good_requests = 0;
  CHECK(contains(reason(store, layer, short_table), "shorter than asked for"));
  short_files.good_requests = 1;
  CHECK(contains(reason(store, layer, short_files), "shorter than asked for"));
  CHECK(reason(store, layer) == "");
}

TEST_CASE("partial pull: bytes that do not match their digest are not taken") {
  const ChunkedLayer layer(many_files("one"));
  PartialStore store;
  const auto position = layer.position();
  for (const std::uint64_t at : {position.toc.offset, position.toc.end() - 1, position.tar_split->offset,
                                 position.tar_split->end() - 1, std::uint64_t(4000)}) {
    CAPTURE(at);
    Parts parts(layer);
    parts.bytes[at] ^= 1;
    CHECK(reason(store, layer, parts) != "");
  }
}

TEST_CASE("partial pull: positions that lie are found out") {
  const ChunkedLayer layer(many_files("one"));
  PartialStore store;
  const auto position = layer.position();
  const auto with = [&](const layer::TocPosition& other) {
    ChunkedLayer changed = layer;
    const auto digest = *layer::find_toc_digest(layer.blob.descriptor.annotations);
    changed.blob.descriptor.annotations = layer::toc_annotations(digest, other);
    return reason(store, changed);
  };
  auto lying = position;
  lying.toc.offset += 1;
  CHECK(contains(with(lying), "Digest did not match"));
  lying = position;
  lying.toc.offset = layer.blob.bytes.size();
  CHECK(contains(with(lying), "behind the end of the blob"));
  lying = position;
  lying.tar_split->offset = 100;
  CHECK(contains(with(lying), "the tar-split is not between"));
  lying = position;
  lying.tar_split->size -= 1;
  CHECK(contains(with(lying), "Digest did not match"));
  lying = position;
  lying.tar_split.reset();
  CHECK(contains(with(lying), "no tar-split"));
  lying = position;
  lying.toc.plain_size = 1;
  CHECK(contains(with(lying), "TOC is larger than 1 bytes"));
}

TEST_CASE("partial pull: a local file that has changed is not taken") {
  PartialStore store;
  const ChunkedLayer first(many_files("one")), second(many_files("two"));
  store.pull(first);
  const auto opened = store.open();
  const auto file = opened->layer_files(opened->layers(background()).at(0).id) / "d/7";
  os::write_file(file, random_bytes(9000, 1234));
  CHECK(contains(reason(store, second), "Digest did not match"));
  os::write_file(file, "short");
  Parts parts(second);
  CHECK(reason(store, second, parts) == "");
  CHECK(parts.fetched > 9000);  // this one, too
}
