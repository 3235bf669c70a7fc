// The gzip reader on ISA-L and on zlib: both must accept the same streams and give the same bytes, whatever
// the cuts of input and output.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "io/codec/gzip_inflater.hpp"

namespace {

using namespace lade;

class Pieces final : public io::Reader {
 public:
  Pieces(io::Bytes data, std::size_t step) : data_(data), step_(step) {}
  std::size_t read(io::Buffer buffer) override {
    const std::size_t count = std::min({buffer.size(), step_, data_.size()});
    std::copy_n(data_.begin(), count, buffer.begin());
    data_ = data_.subspan(count);
    return count;
  }

 private:
  io::Bytes data_;
  std::size_t step_;
};

constexpr std::size_t output_limit = 1 << 20;

struct Outcome {
  std::vector<std::byte> bytes;
  bool failed = false;
};

Outcome inflate(io::Bytes data, std::unique_ptr<io::GzipInflater> inflater, std::size_t in, std::size_t out) {
  Outcome outcome;
  std::vector<std::byte> buffer(out);
  try {
    const auto reader = io::make_gzip_reader(std::make_unique<Pieces>(data, in), std::move(inflater));
    while (const std::size_t count = reader->read(buffer)) {
      outcome.bytes.insert(outcome.bytes.end(), buffer.begin(), buffer.begin() + static_cast<long>(count));
      if (outcome.bytes.size() > output_limit) break;
    }
  } catch (const Error&) {
    outcome.failed = true;
  }
  return outcome;
}

}  // namespace

// The first two bytes choose the cuts. How much comes out before an error may differ; nothing else may.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t in = data[0] + 1, out = data[1] + 1;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(2);
  auto isal = io::make_isal_inflater();
  if (!isal) return 0;
  const Outcome fast = inflate(bytes, std::move(isal), in, out);
  const Outcome oracle = inflate(bytes, io::make_zlib_inflater(), 4096, 4096);
  if (fast.bytes.size() > output_limit || oracle.bytes.size() > output_limit) return 0;
  if (fast.failed != oracle.failed || (!fast.failed && fast.bytes != oracle.bytes)) std::abort();
  return 0;
}
