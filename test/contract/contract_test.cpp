// What every transport promises (transport/transport.hpp), for every transport that can be written.
#include <doctest/doctest.h>

#include "base/parallel.hpp"
#include "places.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

#define FOR_EVERY_TRANSPORT(row) \
  for (const Row& row : rows()) DOCTEST_SUBCASE(row.transport.c_str())

namespace {

TestImage other_image(const Row& row) {
  ImageOptions options = row.image;
  options.name = "another image";
  return make_image(options);
}

void check_holds(const Row& row, transport::ImageSource& source, const TestImage& image) {
  const auto manifest = source.manifest(background(), std::nullopt);
  if (row.keeps_manifest) CHECK(manifest.bytes == image.manifest.bytes);
  if (row.keeps_manifest) CHECK(manifest.digest == image.manifest.digest);
  const auto parsed = spec::Manifest::parse(manifest.bytes, manifest.media_type);
  CHECK(parsed.config().digest == image.config.descriptor.digest);
  CHECK(read_blob(source, parsed.config()) == image.config.bytes);
  REQUIRE(parsed.layers().size() == image.layers.size());
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    CHECK(parsed.layers()[i].digest == image.layers[i].descriptor.digest);
    CHECK(parsed.layers()[i].size == image.layers[i].descriptor.size);
    CHECK(read_blob(source, parsed.layers()[i]) == image.layers[i].bytes);
  }
}

// Neither a part of a blob, nor a temporary file.
void check_refused(const Row& row, const transport::PutBlob& blob, const std::string& bytes) {
  const Place place = row.place();
  const auto destination = place.destination();
  const auto before = place.files();
  CHECK(kind_of([&] { put(*destination, blob, bytes); }) == Kind::integrity);
  if (row.transport != "oci-archive" && row.transport != "docker-archive") CHECK(place.files() == before);
  CHECK(place.spool_is_empty());
  if (blob.digest) CHECK_FALSE(destination->find_blob(background(), *blob.digest).has_value());
  const auto image = make_image(row.image);
  const auto another = row.can_go_on ? nullptr : place.destination();
  write_image(another ? *another : *destination, image);
  check_holds(row, *place.source(), image);
}

}  // namespace

TEST_CASE("an image that was written is read again with the same digests") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto image = make_image(row.image);
    write_image(*place.destination(), image);
    check_holds(row, *place.source(), image);
  }
}

TEST_CASE("a list that was written is read again, with all of its images") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto destination = place.destination();
    CHECK(destination->traits().accepts_lists == row.holds_lists);
    if (!row.holds_lists) return;
    const auto list =
        make_list({{"linux", "amd64", "", "", {}}, {"linux", "arm64", "v8", "", {}}}, row.image);
    write_list(*destination, list);
    const auto source = place.source();
    CHECK(source->manifest(background(), std::nullopt).bytes == list.manifest.bytes);
    for (const auto& image : list.images) {
      CHECK(source->manifest(background(), image.manifest.digest).bytes == image.manifest.bytes);
      CHECK(read_blob(*source, image.config.descriptor) == image.config.bytes);
    }
  }
}

TEST_CASE("putting a blob twice is the same as putting it once") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto image = make_image(row.image);
    const auto destination = place.destination();
    put_blobs(*destination, image);
    write_image(*destination, image);
    check_holds(row, *place.source(), image);
  }
}

TEST_CASE("writing an image twice is the same as writing it once") {
  FOR_EVERY_TRANSPORT(row) {
    if (!row.can_replace) return;
    const Place place = row.place();
    const auto image = make_image(row.image);
    write_image(*place.destination(), image);
    const auto once = place.files();
    write_image(*place.destination(), image);
    CHECK(place.files() == once);
    check_holds(row, *place.source(), image);
  }
}

TEST_CASE("another image under the same name takes the place of the first") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    write_image(*place.destination(), make_image(row.image));
    if (row.can_replace) {
      write_image(*place.destination(), other_image(row));
      check_holds(row, *place.source(), other_image(row));
    } else {
      CHECK(kind_of([&] { place.destination(); }) == Kind::already_exists);
      check_holds(row, *place.source(), make_image(row.image));
    }
  }
}

TEST_CASE("a blob with a wrong digest is refused and leaves nothing behind") {
  FOR_EVERY_TRANSPORT(row) {
    const auto layer = make_image(row.image).layers[0];
    std::string wrong = layer.bytes;
    wrong.back() = static_cast<char>(wrong.back() + 1);
    check_refused(row, put_of(layer), wrong);
  }
}

TEST_CASE("a blob that is too short is refused and leaves nothing behind") {
  FOR_EVERY_TRANSPORT(row) {
    const auto layer = make_image(row.image).layers[0];
    check_refused(row, put_of(layer), layer.bytes.substr(1));
    check_refused(row, put_of(layer), "");
  }
}

TEST_CASE("a blob that is too long is refused and leaves nothing behind") {
  FOR_EVERY_TRANSPORT(row) {
    const auto layer = make_image(row.image).layers[0];
    check_refused(row, put_of(layer), layer.bytes + "x");
    check_refused(row, put_of(layer), layer.bytes + std::string(5 << 20, 'x'));
  }
}

TEST_CASE("a blob of unknown digest with a wrong size is refused and leaves nothing behind") {
  FOR_EVERY_TRANSPORT(row) {
    transport::PutBlob blob = put_of(make_image(row.image).layers[0]);
    blob.digest.reset();
    blob.size = 4;
    check_refused(row, blob, "123");
    check_refused(row, blob, "12345");
  }
}

TEST_CASE("the digest and size of a blob that says neither are computed") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto destination = place.destination();
    if (destination->traits().requires_digest) return;
    const auto image = make_image(row.image);
    for (const auto& layer : image.layers) {
      const auto info = put(*destination, transport::PutBlob{}, layer.bytes);
      CHECK(info.digest == layer.descriptor.digest);
      CHECK(info.size == layer.descriptor.size);
    }
    write_image(*destination, image);
    check_holds(row, *place.source(), image);
    CHECK(place.spool_is_empty());
  }
}

TEST_CASE("a blob is found once it is put, and not before") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto destination = place.destination();
    const auto layer = make_image(row.image).layers[0];
    CHECK_FALSE(destination->find_blob(background(), layer.descriptor.digest).has_value());
    put(*destination, put_of(layer), layer.bytes);
    CHECK(destination->find_blob(background(), layer.descriptor.digest) == layer.descriptor.size);
  }
}

TEST_CASE("an interrupted write into an empty place leaves it empty") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto before = place.files();
    {
      const auto destination = place.destination();
      put_blobs(*destination, make_image(row.image));
    }
    CHECK(place.files() == before);
    CHECK_THROWS_AS(place.source()->manifest(background(), std::nullopt), Error);
  }
}

TEST_CASE("an interrupted write leaves the image that was there as it was") {
  FOR_EVERY_TRANSPORT(row) {
    if (!row.can_replace) return;
    const Place place = row.place();
    write_image(*place.destination(), make_image(row.image));
    const auto before = place.files();
    {
      const auto destination = place.destination();
      put_blobs(*destination, other_image(row));
      // A registry shows a manifest when it is put.
      if (row.transport != "docker") {
        destination->put_manifest(background(), other_image(row).manifest, std::nullopt);
      }
    }
    CHECK(place.files() == before);
    check_holds(row, *place.source(), make_image(row.image));
  }
}

TEST_CASE("the digest of the manifest that is there can be asked for") {
  FOR_EVERY_TRANSPORT(row) {
    if (!row.keeps_manifest || row.transport == "oci-archive") return;
    const Place place = row.place();
    CHECK_FALSE(place.destination()->find_manifest_digest(background()).has_value());
    const auto image = make_image(row.image);
    write_image(*place.destination(), image);
    CHECK(place.destination()->find_manifest_digest(background()) == image.manifest.digest);
  }
}

TEST_CASE("what is not there is an error that says so") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    CHECK_THROWS_AS(place.source()->manifest(background(), std::nullopt), Error);
    write_image(*place.destination(), make_image(row.image));
    const auto source = place.source();
    const auto missing = other_image(row).layers[0].descriptor;
    CHECK(kind_of([&] { read_blob(*source, missing); }) == Kind::not_found);
  }
}

TEST_CASE("many blobs are written at once where the transport says so, and read at once everywhere") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    ImageOptions options = row.image;
    options.layers = 12;
    const auto image = make_image(options);
    const auto destination = place.destination();
    const std::size_t threads = destination->traits().parallel_blobs ? 6 : 1;
    parallel_for(background(), image.layers.size(), threads, [&](const Context&, std::size_t i) {
      put(*destination, put_of(image.layers[i]), image.layers[i].bytes);
    });
    write_image(*destination, image);
    const auto source = place.source();
    parallel_for(background(), 60, 6, [&](const Context&, std::size_t i) {
      const auto& layer = image.layers[i % image.layers.size()];
      if (read_blob(*source, layer.descriptor) != layer.bytes) throw Error(Kind::integrity, "mixed up");
    });
  }
}

TEST_CASE("a stopped context ends a put and leaves nothing behind") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    const auto destination = place.destination();
    std::stop_source stop;
    stop.request_stop();
    const Context stopped = background().with_stop(stop.get_token());
    const auto layer = make_image(row.image).layers[0];
    const auto reader = io::make_text_reader(layer.bytes);
    CHECK_THROWS_AS(destination->put_blob(stopped, put_of(layer), *reader), Cancelled);
    CHECK_FALSE(destination->find_blob(background(), layer.descriptor.digest).has_value());
  }
}

TEST_CASE("a reference prints as it parses") {
  FOR_EVERY_TRANSPORT(row) {
    const Place place = row.place();
    CHECK(transport::parse_image_name(place.reference->str())->str() == place.reference->str());
  }
}
