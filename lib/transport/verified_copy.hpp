// What every destination does with the bytes of a blob.
#pragma once

#include "base/context.hpp"
#include "io/stream.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

// Writes all of data to out. Kind::integrity unless it has the digest and size that `blob` names, as far as
// it names them; Cancelled when the context is stopped. The digest of a blob that names none is SHA-256.
BlobInfo copy_verified(const Context& context, const PutBlob& blob, io::Reader& data, io::Writer& out);

}  // namespace lade::transport
