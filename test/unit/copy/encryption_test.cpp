#include "copy/encryption.hpp"

#include <doctest/doctest.h>

#include "config/base64.hpp"
#include "copy/fixture.hpp"
#include "crypt/fixture.hpp"
#include "spec/json.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// An image whose config names its layers.
spec::RawManifest add_described_image(MemoryStore& store, const std::vector<std::string>& layers,
                                      std::string_view layer_type = types::oci_layer_tar) {
  std::vector<spec::Descriptor> descriptors;
  spec::Json ids = spec::Json::array();
  for (const auto& layer : layers) {
    descriptors.push_back(add_blob(store, layer_type, layer));
    ids.push_back(descriptors.back().digest.str());
  }
  const spec::Json config = {
      {"architecture", "amd64"}, {"os", "linux"}, {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}}};
  const bool docker = layer_type == types::docker_layer_tar;
  return raw(spec::Manifest::make(
      docker ? types::docker_manifest : types::oci_manifest,
      add_blob(store, docker ? types::docker_config : types::oci_config, spec::dump_json(config)),
      descriptors));
}

copy::CopyOptions encrypting(std::vector<std::int64_t> layers = {}) {
  copy::CopyOptions options;
  options.encryption =
      std::make_shared<const crypt::Recipients>(crypt::Recipients{{recipient(rsa_key())}, {}});
  options.encrypted_layers = std::move(layers);
  return options;
}

copy::CopyOptions decrypting(const crypt::Key& key = rsa_key()) {
  copy::CopyOptions options;
  options.decryption = std::make_shared<const crypt::DecryptionKeys>(crypt::DecryptionKeys{{key}, {}});
  return options;
}

// An encrypted image of two layers, and where it goes.
struct Encrypted {
  MemoryReference plain{"plain"}, encrypted{"encrypted"}, decrypted{"decrypted"};
  explicit Encrypted(std::vector<std::int64_t> layers = {}, std::string_view type = types::oci_layer_tar) {
    set_top(*plain.store, add_described_image(*plain.store, {"one", "two"}, type));
    run(plain, encrypted, encrypting(std::move(layers)));
  }
  // The manifest with other layers.
  void set_layers(const std::vector<spec::Descriptor>& layers) {
    set_top(*encrypted.store, raw(top_manifest(encrypted).with_layers(layers)));
  }
  Kind refusal() {
    return kind_of([&] { run(encrypted, decrypted, decrypting()); });
  }
};

const std::string oci_encrypted = std::string(types::oci_layer_tar) + "+encrypted";

}  // namespace

TEST_CASE("encryption: layers arrive encrypted, and decrypted the image is the same to the byte") {
  Encrypted image;
  const auto manifest = top_manifest(image.encrypted);
  for (const auto& layer : manifest.layers()) {
    CHECK(layer.media_type == oci_encrypted);
    CHECK(layer.annotations.size() == 2);
    CHECK(blob_of(image.encrypted, layer.digest).size() == 3);
  }
  CHECK(image.encrypted.store->lock()->blobs.count(io::digest_of("one").str()) == 0);
  run(image.encrypted, image.decrypted, decrypting());
  CHECK(image.decrypted.store->lock()->top->bytes == image.plain.store->lock()->top->bytes);
}

TEST_CASE("encryption: only the layers asked for, counted from either end") {
  Encrypted image({-1});
  const auto layers = top_manifest(image.encrypted).layers();
  CHECK(layers.at(0).media_type == types::oci_layer_tar);
  CHECK(layers.at(1).media_type == oci_encrypted);
  for (const std::int64_t index : {2, -3}) {
    CHECK(message_of([&] { run(image.plain, image.decrypted, encrypting({index})); }) ==
          "when choosing layers to encrypt, layer index " + std::to_string(index) +
              " out of range (2 layers exist)");
  }
}

TEST_CASE("encryption: a layer is compressed before, and spooling first gives the same") {
  for (const bool precompute : {false, true}) {
    MemoryReference plain("a"), encrypted("b", compressing()), decrypted("c");
    set_top(*plain.store, add_described_image(*plain.store, {"one"}));
    auto options = encrypting();
    options.precompute_digests = precompute;
    options.destination.big_files_dir = "/tmp";
    run(plain, encrypted, options);
    CHECK(top_manifest(encrypted).layers().at(0).media_type ==
          std::string(types::oci_layer_gzip) + "+encrypted");
    run(encrypted, decrypted, decrypting());
    const auto layer = top_manifest(decrypted).layers().at(0);
    CHECK(layer.media_type == types::oci_layer_gzip);
    CHECK(layer.annotations.empty());
    CHECK(io::detect_compression(io::as_bytes(blob_of(decrypted, layer.digest))) == io::Compression::gzip);
  }
}

TEST_CASE("encryption: a Docker image becomes an OCI image, and cannot stay one") {
  Encrypted image({}, types::docker_layer_tar);
  CHECK(top_manifest(image.encrypted).media_type() == types::oci_manifest);
  CHECK(top_manifest(image.encrypted).layers().at(0).media_type == oci_encrypted);
  auto options = encrypting();
  options.manifest_type = types::docker_manifest;
  CHECK(kind_of([&] { run(image.plain, image.decrypted, options); }) == Kind::invalid_input);
  CHECK(image.decrypted.store->lock()->blobs.empty());
}

TEST_CASE("encryption: an image that may not change is refused, both ways") {
  Encrypted image;
  auto encrypt = encrypting(), decrypt = decrypting();
  encrypt.preserve_digests = decrypt.preserve_digests = true;
  CHECK(kind_of([&] { run(image.plain, image.decrypted, encrypt); }) == Kind::invalid_input);
  CHECK(kind_of([&] { run(image.encrypted, image.decrypted, decrypt); }) == Kind::invalid_input);
}

TEST_CASE("encryption: what is no layer of a known type is refused") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_described_image(*from.store, {"one"}, "text/plain"));
  CHECK(message_of([&] { run(from, to, encrypting()); }) ==
        "unsupported mediaType to encrypt: \"text/plain\"");
}

TEST_CASE(
    "encryption: without a key the encrypted image is copied as it is, and already encrypted layers stay") {
  Encrypted image;
  run(image.encrypted, image.decrypted);
  CHECK(top_digest(image.decrypted) == top_digest(image.encrypted));
  MemoryReference again("again");
  run(image.encrypted, again, encrypting());
  CHECK(top_digest(again) == top_digest(image.encrypted));
}

TEST_CASE("decryption: another key is denied and leaves nothing behind") {
  Encrypted image;
  CHECK(kind_of([&] { run(image.encrypted, image.decrypted, decrypting(other_rsa_key())); }) == Kind::denied);
  CHECK(image.decrypted.store->lock()->blobs.empty());
}

TEST_CASE("decryption: a shortened or changed blob is refused") {
  for (const std::string bytes : {"on", "onx"}) {
    Encrypted image;
    const auto digest = top_manifest(image.encrypted).layers().at(0).digest;
    image.encrypted.store->lock()->blobs[digest.str()] = bytes;
    CHECK(image.refusal() == Kind::integrity);
  }
}

TEST_CASE("decryption: another blob under the annotations of a layer is refused") {
  Encrypted image;
  auto layers = top_manifest(image.encrypted).layers();
  const auto other = add_blob(*image.encrypted.store, "", "onx");
  layers[0].digest = other.digest;
  image.set_layers(layers);
  CHECK(image.refusal() == Kind::integrity);
}

TEST_CASE("decryption: annotations of another layer are refused") {
  Encrypted image;
  auto layers = top_manifest(image.encrypted).layers();
  std::swap(layers[0].annotations, layers[1].annotations);
  image.set_layers(layers);
  CHECK(image.refusal() == Kind::integrity);
}

TEST_CASE("decryption: layers in another order than the config names are refused") {
  Encrypted image;
  auto layers = top_manifest(image.encrypted).layers();
  std::swap(layers[0], layers[1]);
  image.set_layers(layers);
  CHECK(image.refusal() == Kind::integrity);
}

TEST_CASE("decryption: a public nonce that was put beside the secret one is refused") {
  Encrypted image;
  auto layers = top_manifest(image.encrypted).layers();
  auto& text = layers[0].annotations["org.opencontainers.image.enc.pubopts"];
  auto options = spec::parse_json(*config::base64_decode(text), "options");
  options["cipheroptions"]["nonce"] = config::base64_encode(std::string(16, 'n'));
  text = config::base64_encode(spec::dump_json(options));
  image.set_layers(layers);
  CHECK(image.refusal() == Kind::integrity);
}

TEST_CASE("decryption: an artifact's layers are what their writer encrypted") {
  MemoryReference plain("a"), encrypted("b"), decrypted("c");
  const auto layer = add_blob(*plain.store, types::oci_layer_tar, "one");
  set_top(*plain.store, raw(spec::Manifest::make(types::oci_manifest,
                                                 add_blob(*plain.store, types::oci_empty, "{}"), {layer})));
  run(plain, encrypted, encrypting());
  run(encrypted, decrypted, decrypting());
  CHECK(top_digest(decrypted) == top_digest(plain));
}

TEST_CASE("encryption: of a list every instance is encrypted, and the list names them") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_list(*from.store, {"amd64", "arm64"}));
  auto options = encrypting({0});
  options.instances = copy::CopyOptions::Instances::all;
  run(from, to, options);
  const auto top = *to.store->lock()->top;
  const auto index = spec::Index::parse(top.bytes, top.media_type);
  for (const auto& instance : index.instances()) {
    const auto manifest = to.store->lock()->manifests.at(instance.digest.str());
    const auto layers = spec::Manifest::parse(manifest.bytes, manifest.media_type).layers();
    CHECK(layers.at(0).media_type == oci_encrypted);
    CHECK(layers.at(1).media_type == types::oci_layer_tar);
  }
}

TEST_CASE("encryption: an image is never skipped for one that looks the same") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_described_image(*from.store, {"one"}));
  run(from, to);
  auto options = encrypting();
  options.skip_existing = true;
  CHECK_FALSE(run(from, to, options).skipped);
  CHECK(top_manifest(to).layers().at(0).media_type == oci_encrypted);
}
