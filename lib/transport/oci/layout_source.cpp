#include "transport/oci/layout_source.hpp"

#include "registry/client.hpp"
#include "registry/referrers_tag.hpp"
#include "spec/media_type.hpp"
#include "transport/options.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::transport::oci {

namespace {

[[noreturn]] void throw_missing(std::string_view noun, const spec::Digest& digest) {
  throw Error(Kind::not_found, std::string(noun) + " " + digest.str() + " is not in the layout");
}

class LayoutSource final : public ImageSource, public ReferrerLister {
 public:
  LayoutSource(std::unique_ptr<const LayoutFiles> files, const LayoutName& name,
               const registry::Options& options)
      : files_(std::move(files)), options_(options), index_(files_->index()), chosen_(index_.choose(name)) {}

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>& instance) override {
    const auto& top = index_.manifests()[chosen_];
    const auto& digest = instance ? *instance : top.digest;
    auto found = find_manifest(*files_, digest, instance ? media_type_of(digest) : top.media_type);
    if (!found) throw_missing("manifest", digest);
    return std::move(*found);
  }

  Blob blob(const Context& context, const spec::Descriptor& blob) override {
    if (auto found = files_->find_blob(blob.digest)) return std::move(*found);
    if (blob.urls.empty()) throw_missing("blob", blob.digest);
    const auto client = registry::Client::make("localhost", "", registry::Access::pull, options_);
    auto body = client->blob_from_urls(context, blob.urls);
    return {std::move(body.reader), body.size};
  }

  ReferrerLister* referrer_lister() override { return this; }

  std::vector<Referrer> referrers(const Context& context, const spec::Digest& digest) override {
    const std::string tag = std::string(digest.algorithm_name()) + "-" + digest.hex();
    std::vector<Referrer> result;
    for (const auto& entry : index_.manifests()) {
      context.throw_if_stopped();
      const std::string name = LayoutIndex::name_of(entry);
      if (name == registry::referrers_tag(digest) && spec::is_list(entry.media_type)) {
        add_instances(entry, result);
      } else if (name == tag + ".sig" || name == tag + ".att" || name == tag + ".sbom") {
        result.push_back({entry, name});
      } else if (subject_of(entry) == digest) {
        result.push_back({entry, ""});
      }
    }
    return result;
  }

 private:
  std::string media_type_of(const spec::Digest& digest) const {
    for (const auto& entry : index_.manifests()) {
      if (entry.digest == digest) return entry.media_type;
    }
    return "";
  }

  std::optional<spec::Digest> subject_of(const spec::Descriptor& entry) const {
    if (entry.media_type != spec::media_type::oci_manifest &&
        entry.media_type != spec::media_type::oci_index) {
      return std::nullopt;
    }
    const auto raw = find_manifest(*files_, entry.digest, entry.media_type);
    if (!raw) return std::nullopt;
    const auto subject = spec::is_list(raw->media_type)
                             ? spec::Index::parse(raw->bytes, raw->media_type).subject()
                             : spec::Manifest::parse(raw->bytes, raw->media_type).subject();
    return subject ? std::optional(subject->digest) : std::nullopt;
  }

  // The index that registries without the referrers API keep under a tag (distribution-spec, "Referrers Tag
  // Schema").
  void add_instances(const spec::Descriptor& entry, std::vector<Referrer>& result) const {
    const auto raw = find_manifest(*files_, entry.digest, entry.media_type);
    if (!raw) return;
    for (const auto& instance : spec::Index::parse(raw->bytes, raw->media_type).instances()) {
      result.push_back({instance, ""});
    }
  }

  std::unique_ptr<const LayoutFiles> files_;
  registry::Options options_;
  LayoutIndex index_;
  std::size_t chosen_;
};

}  // namespace

std::optional<spec::RawManifest> find_manifest(const LayoutFiles& files, const spec::Digest& digest,
                                               const std::string& media_type) {
  auto blob = files.find_blob(digest);
  if (!blob) return std::nullopt;
  return make_raw_manifest(io::read_all(*blob->reader, spec::max_manifest_size, "manifest"), media_type,
                           digest);
}

std::unique_ptr<ImageSource> make_layout_source(std::unique_ptr<const LayoutFiles> files,
                                                const LayoutName& name, const Options& options) {
  return std::make_unique<LayoutSource>(std::move(files), name, options.registry);
}

}  // namespace lade::transport::oci
