// Images that live in memory: a source and a destination that keep the contracts of transport.hpp.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/sync.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "io/stream.hpp"
#include "spec/manifest.hpp"
#include "transport/transport.hpp"

namespace lade::test {

// What is stored, by "sha256:<hex>"; and what was done, in order.
struct MemoryContent {
  std::map<std::string, std::string> blobs{};
  std::map<std::string, spec::RawManifest> manifests{};
  std::optional<spec::RawManifest> top{};
  std::map<std::string, std::vector<std::string>> signatures{};  // those of the top manifest under ""
  std::map<std::string, std::vector<transport::ReferrerLister::Referrer>> referrers{};  // by subject
  bool takes_signatures = true;                                                         // as a destination
  std::vector<spec::Digest> blobs_read{};
  std::vector<spec::Digest> blobs_written{};
  int commits = 0;
};

// Shared by sources and destinations; change its content to make a broken or hostile image.
using MemoryStore = Sync<MemoryContent>;

inline spec::Digest manifest_digest(const std::string& bytes, spec::Digest::Algorithm algorithm) {
  return io::digest_of(spec::manifest_payload(bytes), algorithm);
}

// Adds a blob and returns its descriptor.
inline spec::Descriptor add_blob(MemoryStore& store, std::string_view media_type, const std::string& bytes) {
  spec::Descriptor blob{std::string(media_type), io::digest_of(bytes), bytes.size(), {}, {}, {}, "", ""};
  store.lock()->blobs[blob.digest.str()] = bytes;
  return blob;
}

// Adds a manifest that a list may name, and returns its descriptor.
inline spec::Descriptor add_manifest(MemoryStore& store, const spec::RawManifest& manifest) {
  store.lock()->manifests.insert_or_assign(manifest.digest.str(), manifest);
  return {manifest.media_type, manifest.digest, manifest.bytes.size(), {}, {}, {}, "", ""};
}

inline void set_top(MemoryStore& store, const spec::RawManifest& manifest) {
  add_manifest(store, manifest);
  store.lock()->top = manifest;
}

inline std::string signature_key(const std::optional<spec::Digest>& instance) {
  return instance ? instance->str() : "";
}

class MemorySource final : public transport::ImageSource,
                           private transport::SignatureSource,
                           private transport::ReferrerLister {
 public:
  explicit MemorySource(std::shared_ptr<MemoryStore> store) : store_(std::move(store)) {}

  spec::RawManifest manifest(const Context& context, const std::optional<spec::Digest>& instance) override {
    context.throw_if_stopped();
    auto content = store_->lock();
    if (!instance) {
      if (!content->top) throw Error(Kind::image_not_found, "memory: no image");
      return *content->top;
    }
    const auto found = content->manifests.find(instance->str());
    if (found == content->manifests.end())
      throw Error(Kind::image_not_found, "memory: no manifest " + instance->str());
    if (manifest_digest(found->second.bytes, instance->algorithm()) != *instance)
      throw Error(Kind::integrity, "memory: manifest " + instance->str() + " does not match its digest");
    return found->second;
  }

  transport::Blob blob(const Context& context, const spec::Descriptor& blob) override {
    context.throw_if_stopped();
    auto content = store_->lock();
    content->blobs_read.push_back(blob.digest);
    const auto found = content->blobs.find(blob.digest.str());
    if (found == content->blobs.end()) throw Error(Kind::not_found, "memory: no blob " + blob.digest.str());
    return {io::make_text_reader(found->second), found->second.size()};
  }

  transport::SignatureSource* signature_source() override { return this; }
  transport::ReferrerLister* referrer_lister() override { return this; }

 private:
  std::vector<Referrer> referrers(const Context&, const spec::Digest& digest) override {
    auto content = store_->lock();
    const auto found = content->referrers.find(digest.str());
    return found == content->referrers.end() ? std::vector<Referrer>{} : found->second;
  }

  std::vector<std::string> signatures(const Context&, const std::optional<spec::Digest>& instance) override {
    auto content = store_->lock();
    const auto found = content->signatures.find(signature_key(instance));
    return found == content->signatures.end() ? std::vector<std::string>{} : found->second;
  }

  std::shared_ptr<MemoryStore> store_;
};

// Blobs are there as soon as they are put, manifests after commit.
class MemoryDestination final : public transport::ImageDestination, private transport::SignatureDestination {
 public:
  explicit MemoryDestination(std::shared_ptr<MemoryStore> store, transport::DestinationTraits traits = {})
      : store_(std::move(store)), traits_(std::move(traits)) {}

  const transport::DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context&, const spec::Digest& digest) override {
    auto content = store_->lock();
    const auto found = content->blobs.find(digest.str());
    if (found == content->blobs.end()) return std::nullopt;
    return found->second.size();
  }

  transport::BlobInfo put_blob(const Context& context, const transport::PutBlob& blob,
                               io::Reader& data) override {
    context.throw_if_stopped();
    if (traits_.requires_digest && (!blob.digest || !blob.size))
      throw Error(Kind::invalid_input, "memory: digest and size must be known before");
    io::DigestingReader digesting(data);
    std::string bytes = io::read_all(digesting, std::uint64_t{1} << 32, "blob");
    const spec::Digest digest = blob.digest && blob.digest->algorithm() != spec::Digest::Algorithm::sha256
                                    ? io::digest_of(bytes, blob.digest->algorithm())
                                    : digesting.finish();
    if (blob.digest && *blob.digest != digest)
      throw Error(Kind::integrity,
                  "Digest did not match, expected " + blob.digest->str() + ", got " + digest.str());
    if (blob.size && *blob.size != bytes.size())
      throw Error(Kind::integrity, "memory: expected " + std::to_string(*blob.size) + " bytes, got " +
                                       std::to_string(bytes.size()));
    auto content = store_->lock();
    content->blobs_written.push_back(digest);
    const std::uint64_t size = bytes.size();
    content->blobs[digest.str()] = std::move(bytes);
    return {digest, size};
  }

  void put_manifest(const Context& context, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    context.throw_if_stopped();
    const auto& types = traits_.manifest_types;
    if (!types.empty() && std::find(types.begin(), types.end(), manifest.media_type) == types.end())
      throw Error(Kind::unsupported, "memory: manifest type " + manifest.media_type + " is refused");
    if (manifest_digest(manifest.bytes, manifest.digest.algorithm()) != manifest.digest)
      throw Error(Kind::integrity, "memory: manifest does not match its digest");
    if (instance && *instance != manifest.digest)
      throw Error(Kind::integrity, "memory: instance does not match its digest");
    const std::lock_guard lock(mutex_);
    staged_.push_back(manifest);
    if (!instance) top_ = manifest;
  }

  void commit(const Context& context) override {
    context.throw_if_stopped();
    auto content = store_->lock();
    for (const auto& manifest : staged_) content->manifests.insert_or_assign(manifest.digest.str(), manifest);
    content->top = top_;
    content->signatures.insert(signatures_.begin(), signatures_.end());
    ++content->commits;
  }

  std::optional<spec::Digest> find_manifest_digest(const Context&) override {
    auto content = store_->lock();
    return content->top ? std::optional(content->top->digest) : std::nullopt;
  }

  transport::SignatureDestination* signature_destination() override {
    return store_->lock()->takes_signatures ? this : nullptr;
  }

 private:
  void put_signatures(const Context&, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance) override {
    const std::lock_guard lock(mutex_);
    signatures_[signature_key(instance)] = signatures;
  }

  std::shared_ptr<MemoryStore> store_;
  transport::DestinationTraits traits_;
  std::mutex mutex_;  // for what follows
  std::vector<spec::RawManifest> staged_;
  std::optional<spec::RawManifest> top_;
  std::map<std::string, std::vector<std::string>> signatures_;
};

// Both ends of a copy: open_source reads from the store, open_destination writes to it.
class MemoryReference final : public transport::ImageReference {
 public:
  explicit MemoryReference(std::string name, transport::DestinationTraits traits = {})
      : name_(std::move(name)), traits_(std::move(traits)) {}

  std::string_view transport() const override { return "memory"; }
  std::string rest() const override { return name_; }
  std::unique_ptr<transport::ImageSource> open_source(const Context&,
                                                      const transport::Options&) const override {
    return std::make_unique<MemorySource>(store);
  }
  std::unique_ptr<transport::ImageDestination> open_destination(const Context&,
                                                                const transport::Options&) const override {
    return std::make_unique<MemoryDestination>(store, traits_);
  }

  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();

 private:
  std::string name_;
  transport::DestinationTraits traits_;
};

}  // namespace lade::test
