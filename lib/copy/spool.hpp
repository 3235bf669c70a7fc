// A blob made on the way, kept on disk until its digest is known: for --dest-precompute-digests.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

// Reads `data` into an unnamed file, then sends it unless the destination has it already.
transport::BlobInfo put_spooled(Session& session, const Context& context, io::Reader& data,
                                const transport::PutBlob& put);

}  // namespace lade::copy
