#include "copy/plain_layer_check.hpp"

#include "io/codec/codec.hpp"
#include "io/readers.hpp"

namespace lade::copy {

PlainLayerCheck::PlainLayerCheck(std::optional<spec::Digest> digest, std::optional<spec::DiffId> diff_id)
    : digest_(std::move(digest)), diff_id_(std::move(diff_id)) {
  if (!digest_ && !diff_id_)
    throw Error(Kind::integrity, "neither its encryption nor the config tells the digest of the plain layer");
  thread_ = std::jthread([this] { decompress(); });
}

PlainLayerCheck::~PlainLayerCheck() {
  pipe_.finish();
}

void PlainLayerCheck::decompress() {
  try {
    auto [data, compression] = io::detect(std::make_unique<io::BorrowedReader>(pipe_));
    const auto plain = io::decompress(std::move(data), compression);
    io::DigestingReader digesting(*plain);
    io::drain(digesting);
    uncompressed_ = digesting.finish();
  } catch (const Error& error) {
    failure_ = error;
  }
  pipe_.hang_up();
}

void PlainLayerCheck::update(io::Bytes data) {
  digester_.update(data);
  // What broke the decompression is told at the end, if nothing else explains it.
  if (pipe_.hung_up()) return;
  try {
    pipe_.write(data);
  } catch (const Error&) {
    return;
  }
}

void PlainLayerCheck::finish() {
  pipe_.finish();
  thread_.join();
  const spec::Digest passed = digester_.finish();
  if (diff_id_) {
    if (failure_)
      throw Error(Kind::integrity, std::string("the plain layer is damaged: ") + failure_->what());
    if (uncompressed_ != diff_id_->digest)
      throw Error(Kind::integrity, "the plain layer is another one than the image's config names: DiffID " +
                                       uncompressed_->str() + " instead of " + diff_id_->digest.str());
    return;
  }
  if (passed != *digest_ && uncompressed_ != digest_)
    throw Error(Kind::integrity,
                "the plain layer has digest " + passed.str() + " instead of " + digest_->str());
}

}  // namespace lade::copy
