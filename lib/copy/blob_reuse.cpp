#include "copy/blob_reuse.hpp"

#include <algorithm>

#include "config/blob_info_cache.hpp"

namespace lade::copy {

namespace {

using io::Compression;

// A repository of a registry, as the cache names it.
struct Location {
  std::string registry, repository;
};

std::optional<Location> location_of(const transport::ImageReference& reference) {
  const auto docker = reference.docker_reference();
  if (reference.transport() != "docker" || !docker) return std::nullopt;
  return Location{docker->domain(), docker->path()};
}

// Repositories on the destination's registry that may have the blob, without the destination's own.
std::vector<std::string> mount_candidates(const Session& session, const Location& destination,
                                          const spec::Digest& digest) {
  std::vector<std::string> result;
  const auto add = [&](const std::string& repository) {
    if (repository == destination.repository) return;
    if (std::find(result.begin(), result.end(), repository) == result.end()) result.push_back(repository);
  };
  const auto source = location_of(session.source_reference);
  if (source && source->registry == destination.registry) add(source->repository);
  if (session.options.cache != nullptr) {
    for (const auto& candidate :
         session.options.cache->candidate_locations("docker", destination.registry, digest, {})) {
      if (candidate.location && candidate.digest == digest) add(*candidate.location);
    }
  }
  return result;
}

bool mount(Session& session, const Context& context, const spec::Descriptor& blob) {
  transport::BlobMounter* mounter = session.destination.mounter();
  const auto destination = location_of(session.destination_reference);
  if (mounter == nullptr || !destination) return false;
  const auto candidates = mount_candidates(session, *destination, blob.digest);
  return std::any_of(candidates.begin(), candidates.end(), [&](const std::string& repository) {
    return mounter->mount(context, {blob.digest, blob.size}, repository);
  });
}

// A layer that would be compressed anyway: the result of an earlier compression, if it is still there.
std::optional<ReusedBlob> substitute(Session& session, const Context& context, const spec::Descriptor& blob,
                                     const LayerWish& wish) {
  const auto claimed = claimed_compression(blob.media_type);
  if (session.options.cache == nullptr || !session.may_change() || !claimed) return std::nullopt;
  const Compression target = target_compression(blob.media_type, *claimed, wish);
  // The cache does not know where the TOC of a zstd:chunked blob is.
  if (target == *claimed || becomes_chunked(blob, *claimed, target, wish)) return std::nullopt;

  const auto uncompressed = *claimed == Compression::none
                                ? std::optional(blob.digest)
                                : session.options.cache->uncompressed_digest(blob.digest);
  if (!uncompressed) return std::nullopt;
  for (const spec::Digest& digest : session.options.cache->digests_with_uncompressed(*uncompressed)) {
    if (session.options.cache->digest_compressor_name(digest) != io::name_of(target)) continue;
    if (const auto size = session.destination.find_blob(context, digest)) {
      return ReusedBlob{{digest, *size, target, true}, false};
    }
  }
  return std::nullopt;
}

// By its uncompressed digest, if that is known.
std::optional<std::uint64_t> find_unpacked(Session& session, const Context& context,
                                           const spec::Descriptor& blob) {
  if (session.options.cache == nullptr) return std::nullopt;
  const auto uncompressed = session.options.cache->uncompressed_digest(blob.digest);
  return uncompressed ? session.destination.find_unpacked(context, blob, *uncompressed) : std::nullopt;
}

}  // namespace

std::optional<ReusedBlob> reuse_blob(Session& session, const Context& context, const spec::Descriptor& blob,
                                     bool is_config, const LayerWish& wish) {
  const Compression claimed =
      is_config ? Compression::none : claimed_compression(blob.media_type).value_or(Compression::none);
  const Compression forced = wish.force_format && wish.format ? *wish.format : claimed;
  const bool is_refused = wish.force_format && !is_config && becomes_chunked(blob, claimed, claimed, wish);
  if (!is_refused && target_compression(blob.media_type, claimed, {wish.layers, forced, true}) == claimed) {
    CopiedBlob as_it_is{blob.digest, blob.size, claimed, false};
    if (const auto size = session.destination.find_blob(context, blob.digest)) {
      as_it_is.size = *size;
      return ReusedBlob{as_it_is, false};
    }
    if (const auto size = is_config ? std::nullopt : find_unpacked(session, context, blob)) {
      as_it_is.size = *size;
      return ReusedBlob{as_it_is, false};
    }
    if (blob.size != 0 && mount(session, context, blob)) return ReusedBlob{as_it_is, true};
  }
  return is_config ? std::nullopt : substitute(session, context, blob, wish);
}

void remember_pair(Session& session, const spec::Digest& source, Compression source_compression,
                   const spec::Digest& destination, Compression destination_compression) {
  config::BlobInfoCache* cache = session.options.cache;
  if (cache == nullptr) return;
  if (source_compression == Compression::none) {
    cache->record_digest_uncompressed_pair(destination, source);
    cache->record_digest_compressor_name(destination, std::string(io::name_of(destination_compression)));
  } else if (destination_compression == Compression::none) {
    cache->record_digest_uncompressed_pair(source, destination);
    cache->record_digest_compressor_name(source, std::string(io::name_of(source_compression)));
  }
}

void remember_location(Session& session, const spec::Digest& at_source, const spec::Digest& at_destination) {
  config::BlobInfoCache* cache = session.options.cache;
  if (cache == nullptr) return;
  if (const auto place = location_of(session.source_reference)) {
    cache->record_known_location("docker", place->registry, at_source, place->repository);
  }
  if (const auto place = location_of(session.destination_reference)) {
    cache->record_known_location("docker", place->registry, at_destination, place->repository);
  }
}

}  // namespace lade::copy
