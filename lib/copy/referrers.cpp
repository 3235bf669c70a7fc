#include "copy/referrers.hpp"

#include <set>

#include "copy/image_copier.hpp"
#include "copy/list_copier.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

constexpr int max_referrer_depth = 4;
using Referrer = transport::ReferrerLister::Referrer;

class ReferrerCopier {
 public:
  ReferrerCopier(Session& session, const Context& context) : session_(session), context_(context) {}

  void copy_all(const spec::Digest& subject, int depth) {
    if (depth >= max_referrer_depth) return;
    for (const Referrer& referrer : list(subject)) {
      if (!seen_.insert(referrer.tag + "@" + referrer.descriptor.digest.str()).second) continue;
      in_context([&] { return "copying referrer " + referrer.descriptor.digest.str(); },
                 [&] { copy_one(referrer); });
      copy_all(referrer.descriptor.digest, depth + 1);
    }
  }

  void refuse_any(const Shared::Written& changed) {
    if (list(changed.at_source).empty()) return;
    throw Error(Kind::unsupported, "what refers to " + changed.at_source.str() +
                                       " cannot be copied with it: at the destination it became " +
                                       changed.at_destination.str());
  }

 private:
  std::vector<Referrer> list(const spec::Digest& subject) {
    return in_context([&] { return "listing referrers of " + subject.str() + " at the source"; },
                      [&] { return session_.source.referrer_lister()->referrers(context_, subject); });
  }

  void copy_one(const Referrer& referrer) {
    const auto manifest = session_.source.manifest(context_, referrer.descriptor.digest);
    if (referrer.tag.empty()) {
      copy_manifest(session_, manifest, true);
      return;
    }
    auto sibling = session_.destination.sibling(context_, referrer.tag);
    if (!sibling) {
      throw Error(Kind::unsupported, "the destination cannot hold the tag \"" + referrer.tag + "\"");
    }
    Shared shared(session_.options.parallel_copies);
    Session tagged{session_.source,  *sibling, session_.source_reference, session_.destination_reference,
                   session_.options, shared,   session_.top_digest,       session_.unchangeable_reason};
    copy_manifest(tagged, manifest, false);
    sibling->commit(context_);
  }

  void copy_manifest(Session& session, const spec::RawManifest& manifest, bool as_instance) {
    if (spec::is_list(manifest.media_type)) {
      copy_list(session, context_, manifest, as_instance);
    } else {
      copy_single(session, context_, manifest, as_instance);
    }
  }

  Session& session_;
  const Context& context_;
  std::set<std::string> seen_;
};

}  // namespace

void copy_referrers(Session& session, const Context& context) {
  if (session.source.referrer_lister() == nullptr) {
    throw Error(Kind::unsupported, "--with-referrers: " + std::string(session.source_reference.transport()) +
                                       ": images do not tell what refers to them");
  }
  CopyOptions options = session.options;
  options.instances = CopyOptions::Instances::all;
  options.manifest_type.clear();
  options.compression.reset();
  options.zstd_chunked = false;
  options.signers.clear();
  options.encryption.reset();
  options.decryption.reset();
  Shared shared(options.parallel_copies);
  Session unchanged{session.source,
                    session.destination,
                    session.source_reference,
                    session.destination_reference,
                    options,
                    shared,
                    session.top_digest,
                    "Referrers are copied as they are"};
  ReferrerCopier copier(unchanged, context);
  const auto subjects = *session.shared.written.lock();
  for (const auto& subject : subjects) {
    if (subject.at_source != subject.at_destination) copier.refuse_any(subject);
    copier.copy_all(subject.at_destination, 0);
  }
}

}  // namespace lade::copy
