// Any bytes as a tar-split, and as a tar to be split: an error or a result, in bounded time and memory; and a
// tar that was split comes back byte for byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "archive/tar_block.hpp"
#include "archive/tar_reader.hpp"
#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "io/codec/gzip_compressor.hpp"
#include "io/stream.hpp"
#include "tar_checksums.hpp"

namespace {

using namespace lade;

class Text final : public io::Writer {
 public:
  void write(io::Bytes data) override { text += io::as_text(data); }
  std::string text;
};

std::string assembled(std::string tar_split, const archive::TarSplitReader::Open& open) {
  archive::TarSplitReader reader(io::make_text_reader(std::move(tar_split)), open);
  return io::read_all(reader, 64 << 20, "tar");
}

// The lines as they are, so that mutations need not pass the checksum of gzip.
void read_lines(std::string_view lines) {
  Text compressed;
  io::GzipWriter gzip(compressed, 1);
  gzip.write(io::as_bytes(lines));
  gzip.finish();
  assembled(compressed.text, [](const std::string&) { return io::make_text_reader("content"); });
}

std::string split(const std::string& tar) {
  Text out;
  const auto reader = io::make_text_reader(tar);
  archive::write_tar_split(*reader, out);
  return out.text;
}

std::map<std::string, std::string> files_in(const std::string& tar) {
  const auto inner = io::make_text_reader(tar);
  archive::TarReader reader(*inner);
  std::map<std::string, std::string> files;
  while (const archive::TarEntry* entry = reader.next()) {
    const std::string name = archive::clean_name(entry->header.name);
    if (entry->stored_size > 0 && !entry->sparse)
      files.emplace(name, io::read_all(reader, tar.size(), "file"));
  }
  return files;
}

void split_and_assemble(const std::string& tar) {
  const std::string tar_split = split(tar);
  const auto files = files_in(tar);
  const auto open = [&files](const std::string& name) {
    const auto found = files.find(archive::clean_name(name));
    if (found == files.end()) std::abort();
    return io::make_text_reader(found->second);
  };
  if (assembled(tar_split, open) != tar) std::abort();
}

template <class Fn>
void attempt(const Fn& fn) {
  try {
    fn();
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  attempt([&] { read_lines(bytes); });
  attempt([&] { split_and_assemble(std::string(bytes)); });
  attempt([&] { split_and_assemble(fuzz::with_checksums(bytes)); });
  return 0;
}
