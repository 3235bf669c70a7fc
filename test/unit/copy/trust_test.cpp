#include <doctest/doctest.h>

#include "config/base64.hpp"
#include "copy/fixture.hpp"
#include "support/errors.hpp"
#include "trust/signer.hpp"

using namespace lade;
using namespace lade::test;
using Instances = copy::CopyOptions::Instances;

namespace {

const spec::Reference identity = spec::Reference::parse("a.test/r:1");

// Images that a key has signed, and the policy that wants them.
struct Trusted {
  trust::PrivateKey key = trust::PrivateKey::generate();
  std::shared_ptr<const trust::Signer> signer = trust::make_sigstore_signer(key);
  trust::PolicyContext policy{config::Policy::parse(
      R"({"default":[{"type":"sigstoreSigned","signedIdentity":{"type":"exactRepository",)"
      R"("dockerRepository":"a.test/r"},"keyData":")" +
          config::base64_encode(key.public_key().pem()) + "\"}]}",
      "p.json")};
  MemoryReference from{"a"}, to{"b"};
  copy::CopyOptions options;

  void sign(const spec::RawManifest& manifest, const std::string& under) {
    from.store->lock()->signatures[under].push_back(signer->sign(background(), manifest, identity));
  }
  void sign_instance(const spec::Digest& digest) {
    const auto manifest = from.store->lock()->manifests.at(digest.str());
    sign(manifest, digest.str());
  }
  std::vector<spec::Descriptor> set_list() {
    const auto list = add_list(*from.store, {"amd64", "arm64"});
    set_top(*from.store, list);
    return spec::Index::parse(list.bytes, list.media_type).instances();
  }
  void copy() const { copy::copy_image(background(), policy, from, to, options); }
  bool is_rejected() const {
    const auto error = error_of([&] { copy(); });
    return error.kind() == Kind::denied &&
           std::string(error.what()).find("Source image rejected: ") != std::string::npos;
  }
};

}  // namespace

TEST_CASE("trust: an image without a good signature is refused before any of its blobs is read") {
  Trusted image;
  set_top(*image.from.store, add_image(*image.from.store, {"one"}));
  CHECK(image.is_rejected());
  CHECK(image.from.store->lock()->blobs_read.empty());
  image.sign(add_image(*image.from.store, {"another"}), "");
  CHECK(image.is_rejected());
  const auto top = *image.from.store->lock()->top;
  image.sign(top, "");
  image.copy();
  CHECK(image.to.store->lock()->signatures.at("").size() == 2);
}

TEST_CASE("trust: a manifest that is no JSON is not even parsed without a signature") {
  Trusted image;
  set_top(*image.from.store, {"no JSON", std::string(types::oci_manifest), io::digest_of("no JSON")});
  CHECK(image.is_rejected());
}

TEST_CASE("trust: leaving signatures behind does not keep them from being verified") {
  Trusted image;
  set_top(*image.from.store, add_image(*image.from.store, {"one"}));
  image.options.remove_signatures = true;
  CHECK(image.is_rejected());
  image.options.skip_existing = true;
  image.to.store->lock()->top = *image.from.store->lock()->top;
  CHECK(image.is_rejected());
}

TEST_CASE("trust: each instance of a list that is copied must be signed") {
  Trusted image;
  const auto instances = image.set_list();
  image.options.instances = Instances::all;
  image.sign_instance(instances.at(0).digest);
  CHECK(image.is_rejected());
  image.options.instances = Instances::platforms;
  image.options.platforms = {*instances.at(0).platform};
  image.copy();
  image.options.instances = Instances::system;
  image.options.platform = {"linux", "arm64", ""};
  CHECK(image.is_rejected());
  image.sign_instance(instances.at(1).digest);
  image.copy();
  image.options.instances = Instances::all;
  image.copy();
}

TEST_CASE("trust: a list that is copied without instances must be signed itself") {
  Trusted image;
  image.sign_instance(image.set_list().at(0).digest);
  image.options.instances = Instances::index_only;
  CHECK(image.is_rejected());
  const auto list = *image.from.store->lock()->top;
  image.sign(list, "");
  image.copy();
}

TEST_CASE("signing: what is written is signed, a list and each of its instances") {
  Trusted image;
  const auto instances = image.set_list();
  image.options.instances = Instances::all;
  image.options.signers = {image.signer};
  image.options.sign_identity = identity;
  copy::copy_image(background(), accept_anything(), image.from, image.to, image.options);
  for (const std::string& place : {std::string(), instances.at(0).digest.str(), instances.at(1).digest.str()})
    CHECK(image.to.store->lock()->signatures[place].size() == 1);
  // They are as good as any.
  copy::CopyOptions again;
  again.instances = Instances::all;
  const MemoryReference elsewhere{"c"};
  copy::copy_image(background(), image.policy, image.to, elsewhere, again);
}

TEST_CASE("signing: what cannot be done is refused before anything is copied") {
  Trusted image;
  set_top(*image.from.store, add_image(*image.from.store, {"one"}));
  image.options.signers = {image.signer};
  const auto message = [&] {
    return message_of(
        [&] { copy::copy_image(background(), accept_anything(), image.from, image.to, image.options); });
  };
  CHECK(message() == "Cannot determine canonical Docker reference for destination memory:b");
  image.options.sign_identity = identity.without_tag_or_digest();
  CHECK(message() == "Sign identity must be a fully specified reference a.test/r");
  image.options.sign_identity = identity;
  image.to.store->lock()->takes_signatures = false;
  CHECK(message().starts_with("writing signatures: "));
  CHECK(image.to.store->lock()->blobs.empty());
}
