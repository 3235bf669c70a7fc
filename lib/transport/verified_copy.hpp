// What every destination does with the bytes of a blob.
#pragma once

#include <optional>

#include "base/context.hpp"
#include "io/readers.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

// The bytes of a blob as they come. Kind::integrity unless they have the digest and size that `blob` names,
// as far as it names them; Cancelled when the context is stopped. The digest of a blob that names none is
// SHA-256. May be read again after its end. Refers to all it is given.
class VerifiedBlob final : public io::Reader {
 public:
  VerifiedBlob(const Context& context, const PutBlob& blob, io::Reader& data);
  std::size_t read(io::Buffer buffer) override;
  // Reads what is left.
  BlobInfo end();

 private:
  class NoTransfer final : public Transfer {
   public:
    void advance(std::uint64_t) noexcept override {}
    void finish(Outcome) noexcept override {}
  };

  const PutBlob& blob_;
  NoTransfer nobody_;
  io::ProgressReader stoppable_;
  io::DigestingReader digesting_;
  std::optional<BlobInfo> info_;
};

// Writes all of data, verified, to out.
BlobInfo copy_verified(const Context& context, const PutBlob& blob, io::Reader& data, io::Writer& out);

}  // namespace lade::transport
