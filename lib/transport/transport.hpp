// The interfaces that everything turns on: where images live, reading them and writing them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "io/byte_range.hpp"
#include "io/codec/codec.hpp"
#include "io/stream.hpp"
#include "spec/descriptor.hpp"
#include "spec/manifest.hpp"
#include "spec/reference.hpp"

namespace lade::transport {

struct Options;  // transport/options.hpp

struct Blob {
  std::unique_ptr<io::Reader> reader;
  std::optional<std::uint64_t> size;  // what the source says; nullopt if it does not
};

// Optional power: finding what refers to a manifest (signatures, SBOMs, attestations).
class ReferrerLister {
 public:
  virtual ~ReferrerLister() = default;
  // Descriptors of manifests whose subject is `digest` (referrers API, or its tag fallback), and of
  // cosign's sha256-<hex>.{sig,att,sbom} tags where the transport knows tags. Empty if there are none.
  struct Referrer {
    spec::Descriptor descriptor;
    std::string tag;  // "" unless it is reached by a tag (cosign)
  };
  virtual std::vector<Referrer> referrers(const Context& context, const spec::Digest& digest) = 0;
};

// Optional power: signatures kept beside an image. Each is one document as containers-signature(5) has it in
// a file: a simple signing message, or NUL, a format's name, a line feed and its data. Nobody has verified
// it.
class SignatureSource {
 public:
  virtual ~SignatureSource() = default;
  // In their order. `instance` as for ImageSource::manifest.
  virtual std::vector<std::string> signatures(const Context& context,
                                              const std::optional<spec::Digest>& instance) = 0;
};

// Optional power: reading parts of a blob without the rest.
class BlobPartSource {
 public:
  virtual ~BlobPartSource() = default;
  // The bytes of `parts`, one after the other; nullptr if they cannot be had so. Not verified. There is at
  // least one part, none is empty, they are in order, apart, and within blob.size. The reader MUST not
  // outlive the source. Thread-safe.
  virtual std::unique_ptr<io::Reader> blob_parts(const Context& context, const spec::Descriptor& blob,
                                                 const std::vector<io::ByteRange>& parts) = 0;
};

// One image or list to read. Thread-safe: the copy engine reads several blobs at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  // The top manifest, or the one of an instance. The source MUST have checked bytes against the digest
  // where it knows one (always for an instance).
  virtual spec::RawManifest manifest(const Context& context, const std::optional<spec::Digest>& instance) = 0;

  // A layer, config or other blob. The bytes are NOT verified here: whoever consumes them MUST check length
  // and digest (a destination's put_blob does, io::VerifyingReader does). The reader MUST not outlive the
  // source. Kind::not_found if it is not there.
  virtual Blob blob(const Context& context, const spec::Descriptor& blob) = 0;

  // What blob() gives in place of the manifest's layers, one for one, where layers are not kept as they came:
  // uncompressed, by their diff IDs. nullopt: they are there as the manifest names them.
  virtual std::optional<std::vector<spec::Descriptor>> stored_layers(const Context& context,
                                                                     const spec::Manifest& manifest) {
    (void)context, (void)manifest;
    return std::nullopt;
  }

  virtual BlobPartSource* part_source() { return nullptr; }
  virtual ReferrerLister* referrer_lister() { return nullptr; }
  virtual SignatureSource* signature_source() { return nullptr; }

  // True when manifests come from this layout re-made (docker-archive:, tarball:): a digest found there
  // identifies nothing outside.
  virtual bool synthesizes_manifest() const { return false; }
};

// Constant facts about a destination.
struct DestinationTraits {
  // Manifest types it takes, best first. Empty: any.
  std::vector<std::string> manifest_types;
  bool accepts_lists = true;  // several images as a group
  enum class Layers { preserve, compress, decompress };
  Layers layers = Layers::preserve;  // what it wants of a layer that came uncompressed or compressed
  // put_blob, and put_manifest and put_signatures of instances, may be called from several threads at once.
  bool parallel_blobs = true;
  bool accepts_foreign_urls = false;  // keeps layers that are only urls unfetched
  bool requires_digest = false;       // put_blob needs digest and size before the first byte
  // Wants the list that an image was chosen from (keep_list); its digest then names the image too.
  bool keeps_list = false;
  // The digest that the reference itself names: the manifest written must have it.
  std::optional<spec::Digest> required_digest;
  // Why there is no signature_destination().
  std::string why_no_signatures = "Storing signatures is not supported";
};

struct PutBlob {
  std::optional<spec::Digest> digest;  // nullopt: the destination computes it while writing
  std::optional<std::uint64_t> size;
  std::string media_type;
  bool is_config = false;
  std::size_t layer_index = 0;  // position among the layers; meaningless for a config
};

struct BlobInfo {
  spec::Digest digest;
  std::uint64_t size = 0;
  // Of the uncompressed bytes, from a destination that has seen them.
  std::optional<spec::Digest> uncompressed{};
};

// Optional power of registries: making a blob of another repository appear without sending it.
class BlobMounter {
 public:
  virtual ~BlobMounter() = default;
  // `from` is a repository path on the same registry. False: not mounted, send it.
  virtual bool mount(const Context& context, const BlobInfo& blob, const std::string& from) = 0;
};

// Optional power: keeping signatures beside an image; see SignatureSource.
class SignatureDestination {
 public:
  virtual ~SignatureDestination() = default;
  // After put_manifest of the same `instance`, before commit. All of them at once.
  virtual void put_signatures(const Context& context, const std::vector<std::string>& signatures,
                              const std::optional<spec::Digest>& instance) = 0;
};

// Optional power: making a layer of what is here already and of parts of its blob.
class PartialDestination {
 public:
  virtual ~PartialDestination() = default;
  // In place of put_blob; nullopt, with a line in the debug log, if put_blob has to be called. What does not
  // match its digest is never taken. Thread-safe as put_blob.
  virtual std::optional<BlobInfo> put_parts(const Context& context, const spec::Descriptor& layer,
                                            BlobPartSource& source) = 0;
};

// One image or list to write. Order of calls MUST be: blobs, then manifests of instances, then the top
// manifest, then commit. Nothing is visible under the destination's name before commit, as far as the
// transport allows; destroyed without commit, it leaves the destination as it was (blobs already published
// under their digest may stay).
class ImageDestination {
 public:
  virtual ~ImageDestination() = default;

  virtual const DestinationTraits& traits() const = 0;

  // The size, if the blob is there already and may be referred to.
  virtual std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) = 0;

  // The size of `blob`, if a layer with these uncompressed bytes is there and was taken for it: for
  // destinations that keep layers unpacked.
  virtual std::optional<std::uint64_t> find_unpacked(const Context& context, const spec::Descriptor& blob,
                                                     const spec::Digest& uncompressed) {
    (void)context, (void)blob, (void)uncompressed;
    return std::nullopt;
  }

  // Reads `data` to its end. Idempotent. Bytes that do not match blob.digest or blob.size MUST be refused
  // (Kind::integrity) and leave nothing behind.
  virtual BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) = 0;

  // `instance`: the digest under which an instance of a list is stored; nullopt: the top manifest.
  // Kind::unsupported (with the registry's words) when the destination refuses this manifest type and
  // another might be taken.
  virtual void put_manifest(const Context& context, const spec::RawManifest& manifest,
                            const std::optional<spec::Digest>& instance) = 0;

  // The list from which the image that will be the top manifest was chosen. Before put_manifest; does nothing
  // unless traits().keeps_list.
  virtual void keep_list(const Context& context, const spec::RawManifest& list) { (void)context, (void)list; }

  virtual void commit(const Context& context) = 0;

  // The manifest that is there now under this name, without its body where that can be had:
  // for --skip-existing.
  virtual std::optional<spec::Digest> find_manifest_digest(const Context& context) = 0;

  virtual BlobMounter* mounter() { return nullptr; }
  virtual PartialDestination* partial_destination() { return nullptr; }
  virtual SignatureDestination* signature_destination() { return nullptr; }

  // A second destination in the same place for a referrer that has its own tag; nullptr if that cannot be.
  virtual std::unique_ptr<ImageDestination> sibling(const Context& context, const std::string& tag) {
    (void)context, (void)tag;
    return nullptr;
  }
};

// Immutable; parsed once. str() is "transport:rest" and parses to an equal reference.
class ImageReference {
 public:
  virtual ~ImageReference() = default;

  virtual std::string_view transport() const = 0;
  virtual std::string rest() const = 0;  // without "transport:"
  std::string str() const { return std::string(transport()) + ":" + rest(); }
  // Of docker:, and of archives that carry one.
  virtual std::optional<spec::Reference> docker_reference() const { return std::nullopt; }

  // Kind::unsupported by default: "<transport>: images cannot be read" / "... written".
  virtual std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const;
  virtual std::unique_ptr<ImageDestination> open_destination(const Context& context,
                                                             const Options& options) const;
  // "Deleting images not implemented for X: images" by default.
  virtual void remove(const Context& context, const Options& options) const;

  // Scopes of policy.json, most specific first, and the name itself (containers-policy.json(5)).
  virtual std::string policy_identity() const { return ""; }
  virtual std::vector<std::string> policy_scopes() const { return {}; }
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;
  // Parses what follows "name:".
  virtual std::unique_ptr<ImageReference> parse(std::string_view rest) const = 0;
};

}  // namespace lade::transport
