// What need not be sent: blobs the destination has, can mount from a neighbour, or has in the wanted
// compression.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

struct ReusedBlob {
  CopiedBlob blob;
  bool mounted = false;
};

std::optional<ReusedBlob> reuse_blob(Session& session, const Context& context, const spec::Descriptor& blob,
                                     bool is_config, const LayerWish& wish);

// For the blob-info cache. Both digests have been verified.
void remember_pair(Session& session, const spec::Digest& source, io::Compression source_compression,
                   const spec::Digest& destination, io::Compression destination_compression);
// The blob is now at the destination (and was at the source).
void remember_location(Session& session, const spec::Digest& at_source, const spec::Digest& at_destination);

}  // namespace lade::copy
