#include "registry/upload_source.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace lade::registry {

UploadSource::UploadSource(io::Reader& inner, std::optional<spec::Digest> digest,
                           std::optional<std::uint64_t> size)
    : inner_(inner),
      expected_(std::move(digest)),
      size_(size),
      digester_(expected_ ? expected_->algorithm() : spec::Digest::Algorithm::sha256) {}

std::size_t UploadSource::read(io::Buffer buffer) {
  if (position_ < kept_.size()) {
    const std::size_t count = std::min(buffer.size(), kept_.size() - position_);
    std::copy_n(io::as_bytes(kept_).begin() + static_cast<std::ptrdiff_t>(position_), count, buffer.begin());
    position_ += count;
    return count;
  }
  if (digest_) return 0;
  failed_ = true;  // until it has gone well
  const std::size_t count = read_inner(buffer);
  failed_ = false;
  return count;
}

std::size_t UploadSource::read_inner(io::Buffer buffer) {
  const std::size_t count = inner_.read(buffer);
  count_ += count;
  if (size_ && count_ > *size_) {
    throw Error(Kind::integrity, "expected " + std::to_string(*size_) + " bytes, got more");
  }
  digester_.update(buffer.first(count));
  keep(buffer.first(count));
  if (count == 0) check_end();
  return count;
}

void UploadSource::keep(io::Bytes data) {
  if (!keeping_) return;
  if (kept_.size() + data.size() > replay_limit) {
    keeping_ = false;
    kept_ = std::string();
    position_ = 0;
    return;
  }
  if (kept_.empty()) kept_.reserve(std::min<std::uint64_t>(size_.value_or(replay_limit), replay_limit));
  kept_ += io::as_text(data);
  position_ = kept_.size();
}

void UploadSource::check_end() {
  digest_ = digester_.finish();
  if (size_ && count_ != *size_) {
    throw Error(Kind::integrity,
                "expected " + std::to_string(*size_) + " bytes, got " + std::to_string(count_));
  }
  if (expected_ && *digest_ != *expected_) {
    throw Error(Kind::integrity,
                "Digest did not match, expected " + expected_->str() + ", got " + digest_->str());
  }
}

bool UploadSource::rewind() {
  if (!keeping_ || failed_) return false;
  position_ = 0;
  return true;
}

spec::Digest UploadSource::finish() {
  std::array<std::byte, 1> one;
  if (read(one) != 0) throw Error(Kind::integrity, "the blob was not sent to its end");
  return *digest_;
}

}  // namespace lade::registry
