#include "transport/verified_copy.hpp"

#include "io/readers.hpp"

namespace lade::transport {

namespace {

class NullTransfer final : public Transfer {
 public:
  void advance(std::uint64_t) noexcept override {}
  void finish(Outcome) noexcept override {}
};

// Ends after exactly `size` bytes, or throws.
class SizedReader final : public io::Reader {
 public:
  SizedReader(io::Reader& inner, std::optional<std::uint64_t> size) : inner_(inner), size_(size) {}

  std::size_t read(io::Buffer buffer) override {
    const std::size_t n = inner_.read(buffer);
    count_ += n;
    if (size_ && (count_ > *size_ || (n == 0 && count_ < *size_))) {
      throw Error(Kind::integrity,
                  "expected " + std::to_string(*size_) + " bytes, got " + std::to_string(count_));
    }
    return n;
  }

 private:
  io::Reader& inner_;
  std::optional<std::uint64_t> size_;
  std::uint64_t count_ = 0;
};

BlobInfo copy_unknown(const PutBlob& blob, io::Reader& data, io::Writer& out) {
  SizedReader sized(data, blob.size);
  io::DigestingReader digesting(sized);
  const auto count = io::copy(digesting, out);
  return {digesting.finish(), count};
}

}  // namespace

BlobInfo copy_verified(const Context& context, const PutBlob& blob, io::Reader& data, io::Writer& out) {
  NullTransfer nobody;
  io::ProgressReader stoppable(data, context, nobody);
  if (!blob.digest) return copy_unknown(blob, stoppable, out);
  io::VerifyingReader verified(stoppable, *blob.digest, blob.size);
  const auto count = io::copy(verified, out);
  return {*blob.digest, count};
}

}  // namespace lade::transport
