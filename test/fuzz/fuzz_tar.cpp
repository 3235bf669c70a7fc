// Any bytes as a tar archive: an error or members, in bounded time and memory; and what is read can be
// written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "archive/tar_block.hpp"
#include "archive/tar_reader.hpp"
#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "io/stream.hpp"
#include "tar_checksums.hpp"

namespace {

using namespace lade;

class Counter final : public io::Writer {
 public:
  void write(io::Bytes data) override { count += data.size(); }
  std::uint64_t count = 0;
};

void read_some(archive::TarReader& tar) {
  std::byte buffer[4096];
  // A sparse file of a few bytes may claim to be exabytes long.
  for (int i = 0; i < 64; ++i) {
    if (tar.read(buffer) == 0) return;
  }
}

void read_archive(std::string_view bytes) {
  const auto inner = io::make_text_reader(std::string(bytes));
  archive::TarReader tar(*inner, {.keep_raw = true});
  while (const archive::TarEntry* entry = tar.next()) {
    if (tar.take_raw().size() > bytes.size()) std::abort();
    Counter counter;
    archive::TarWriter writer(counter);
    writer.begin(entry->header);
    (void)archive::clean_name(entry->header.name);
    read_some(tar);
  }
}

void try_archive(std::string_view bytes) {
  try {
    read_archive(bytes);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_archive(bytes);
  try_archive(fuzz::with_checksums(bytes));
  return 0;
}
