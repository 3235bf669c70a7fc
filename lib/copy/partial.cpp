#include "copy/partial.hpp"

#include "io/readers.hpp"

namespace lade::copy {

namespace {

// Shows what is read.
class CountedParts final : public transport::BlobPartSource {
 public:
  CountedParts(transport::BlobPartSource& inner, Transfer& transfer) : inner_(inner), transfer_(transfer) {}

  std::unique_ptr<io::Reader> blob_parts(const Context& context, const spec::Descriptor& blob,
                                         const std::vector<io::ByteRange>& parts) override {
    auto reader = inner_.blob_parts(context, blob, parts);
    return reader ? std::make_unique<Counted>(std::move(reader), context, transfer_) : nullptr;
  }

 private:
  class Counted final : public io::Reader {
   public:
    Counted(std::unique_ptr<io::Reader> inner, const Context& context, Transfer& transfer)
        : inner_(std::move(inner)), counted_(*inner_, context, transfer) {}
    std::size_t read(io::Buffer buffer) override { return counted_.read(buffer); }

   private:
    std::unique_ptr<io::Reader> inner_;
    io::ProgressReader counted_;
  };

  transport::BlobPartSource& inner_;
  Transfer& transfer_;
};

}  // namespace

std::optional<CopiedBlob> put_parts(Session& session, const Context& context, const spec::Descriptor& layer,
                                    const LayerWish& wish, Transfer& transfer) {
  auto* const destination = session.destination.partial_destination();
  auto* const source = session.source.part_source();
  if (destination == nullptr || source == nullptr) return std::nullopt;
  const auto claimed = claimed_compression(layer.media_type);
  // The bytes of the blob must be what the manifest will name.
  if (!claimed || target_compression(layer.media_type, *claimed, wish) != *claimed) return std::nullopt;
  CountedParts counted(*source, transfer);
  const auto info = destination->put_parts(context, layer, counted);
  if (!info) return std::nullopt;
  return CopiedBlob{info->digest, info->size, *claimed, false};
}

}  // namespace lade::copy
