#include "transport/verified_copy.hpp"

namespace lade::transport {

VerifiedBlob::VerifiedBlob(const Context& context, const PutBlob& blob, io::Reader& data)
    : blob_(blob),
      stoppable_(data, context, nobody_),
      digesting_(stoppable_, blob.digest ? blob.digest->algorithm() : spec::Digest::Algorithm::sha256) {}

std::size_t VerifiedBlob::read(io::Buffer buffer) {
  if (info_) return 0;
  const std::size_t count = digesting_.read(buffer);
  const std::uint64_t size = digesting_.count();
  if (blob_.size && (size > *blob_.size || (count == 0 && size < *blob_.size))) {
    throw Error(Kind::integrity,
                "expected " + std::to_string(*blob_.size) + " bytes, got " + std::to_string(size));
  }
  if (count != 0) return count;
  const spec::Digest digest = digesting_.finish();
  if (blob_.digest && *blob_.digest != digest) {
    throw Error(Kind::integrity,
                "Digest did not match, expected " + blob_.digest->str() + ", got " + digest.str());
  }
  info_ = BlobInfo{digest, size, std::nullopt};
  return 0;
}

BlobInfo VerifiedBlob::end() {
  if (!info_) io::drain(*this);
  return *info_;
}

BlobInfo copy_verified(const Context& context, const PutBlob& blob, io::Reader& data, io::Writer& out) {
  VerifiedBlob verified(context, blob, data);
  io::copy(verified, out);
  return verified.end();
}

}  // namespace lade::transport
