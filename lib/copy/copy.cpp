#include "copy/copy.hpp"

#include <algorithm>

#include "copy/image_copier.hpp"
#include "copy/list_copier.hpp"
#include "copy/referrers.hpp"
#include "copy/session.hpp"
#include "copy/signatures.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

struct Opened {
  std::unique_ptr<transport::ImageDestination> destination;
  std::unique_ptr<transport::ImageSource> source;
  spec::RawManifest manifest;  // the top one of the source
};

Opened open(const Context& context, const transport::ImageReference& source,
            const transport::ImageReference& destination, const CopyOptions& options) {
  auto to = in_context([&] { return "initializing destination " + destination.str(); },
                       [&] { return destination.open_destination(context, options.destination); });
  return in_context([&] { return "initializing source " + source.str(); },
                    [&]() -> Opened {
                      auto from = source.open_source(context, options.source);
                      auto manifest = from->manifest(context, std::nullopt);
                      return {std::move(to), std::move(from), std::move(manifest)};
                    });
}

std::string unchangeable_reason(const CopyOptions& options, const transport::DestinationTraits& traits) {
  if (traits.required_digest) return "Destination specifies a digest";
  if (options.preserve_digests) return "Instructed to preserve digests";
  return "";
}

bool wants_one_instance(const CopyOptions& options) {
  return options.instances == CopyOptions::Instances::system;
}

// The list a registry or layout names, or the one image chosen from it.
spec::RawManifest choose(const Context& context, Opened& opened, const CopyOptions& options) {
  if (!spec::is_list(opened.manifest.media_type) || !wants_one_instance(options)) return opened.manifest;
  return in_context("choosing an image from manifest list", [&] {
    const auto index = spec::Index::parse(opened.manifest.bytes, opened.manifest.media_type);
    return opened.source->manifest(context, index.choose(options.platform).digest);
  });
}

void refuse_list_where_unsupported(const transport::ImageReference& destination,
                                   const transport::DestinationTraits& traits) {
  if (traits.accepts_lists) return;
  throw Error(Kind::unsupported, "copying multiple images: destination transport \"" +
                                     std::string(destination.transport()) +
                                     "\" does not support copying multiple images as a group");
}

spec::RawManifest copy_manifest(Session& session, const Context& context, const spec::RawManifest& manifest) {
  if (!spec::is_list(manifest.media_type)) return copy_single(session, context, manifest, false);
  refuse_list_where_unsupported(session.destination_reference, session.destination.traits());
  return copy_list(session, context, manifest, false);
}

void refuse_pointless_options(const CopyOptions& options, const spec::RawManifest& manifest) {
  if (options.remove_list_signatures && !spec::is_list(manifest.media_type)) {
    throw Error(Kind::invalid_input, "RemoveListSignatures is not applicable when copying a single instance");
  }
}

// Nobody knows which signatures the destination has: a signed image is never skipped.
bool may_skip(Session& session, const Context& context, const spec::RawManifest& manifest) {
  return session.options.skip_existing && session.options.signers.empty() && !session.options.encryption &&
         !session.options.decryption &&
         session.destination.find_manifest_digest(context) == manifest.digest &&
         !has_signatures(session, context, manifest);
}

}  // namespace

CopyResult copy_image(const Context& context, const trust::PolicyContext& policy,
                      const transport::ImageReference& source, const transport::ImageReference& destination,
                      const CopyOptions& options) {
  Opened opened = open(context, source, destination, options);
  policy.check_name(source);
  const spec::RawManifest manifest = choose(context, opened, options);
  refuse_pointless_options(options, manifest);

  const auto& traits = opened.destination->traits();
  Shared shared(traits.parallel_blobs ? std::max(1u, options.parallel_copies) : 1);
  Session session{*opened.source,
                  *opened.destination,
                  source,
                  destination,
                  options,
                  shared,
                  opened.manifest.digest,
                  unchangeable_reason(options, traits),
                  std::nullopt,
                  &policy};
  if (!spec::is_list(manifest.media_type)) check_policy(session, context, manifest);
  refuse_impossible_signing(session);
  if (may_skip(session, context, manifest)) {
    context.progress.step("Skipping: image already present at destination");
    return {manifest, opened.manifest.digest, true};
  }
  if (traits.keeps_list && opened.manifest.digest != manifest.digest) {
    session.list = opened.manifest.digest;
    opened.destination->keep_list(context, opened.manifest);
  }
  const spec::RawManifest written = copy_manifest(session, context, manifest);
  if (options.with_referrers) copy_referrers(session, context);
  context.throw_if_stopped();
  in_context("committing to the destination", [&] { opened.destination->commit(context); });
  return {written, opened.manifest.digest, false};
}

}  // namespace lade::copy
