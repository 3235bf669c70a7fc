// tar-split: a tar without the contents of its files, from which, together with the unpacked files, the same
// tar is made again byte for byte (github.com/vbatts/tar-split; containers/storage keeps one a layer as
// <layer>.tar-split.gz). gzip of JSON objects, one a line: segments of raw bytes, and files by name, size and
// CRC-64/GO-ISO of their content.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/name_set.hpp"
#include "archive/tar_header.hpp"
#include "io/codec/codec.hpp"
#include "io/codec/gzip_compressor.hpp"
#include "io/crc64.hpp"
#include "io/stream.hpp"
#include "os/root.hpp"

namespace lade::archive {

// The JSON string, or nullopt for what is not UTF-8.
std::optional<std::string> json_string(std::string_view text);

// Writes the entries. Raw bytes gather into one segment until a file follows, at most max_segment.
class TarSplitWriter {
 public:
  static constexpr std::size_t max_segment = 1024 * 1024;
  enum class Packing { gzip, none };

  // `out` (not owned) gets the gzip stream, or the lines as they are.
  explicit TarSplitWriter(io::Writer& out, Packing packing = Packing::gzip) : out_(out) {
    if (packing == Packing::gzip) gzip_.emplace(out, gzip_level);
  }

  void raw(io::Bytes data);
  // A file the content of which will be read again by name. Names MUST be unique after clean_name.
  void file(std::string_view name, std::uint64_t size, std::uint64_t crc);
  void finish();

 private:
  static constexpr int gzip_level = 2;

  void flush_segment();
  void end_line();

  io::Writer& out_;
  std::optional<io::GzipWriter> gzip_;
  std::string segment_;
  std::string line_;
  std::uint64_t position_ = 0;
};

// A member with bytes [offset, offset + size) of the tar as its content.
struct TarSplitFile {
  std::string name;  // as in the header
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// nullopt: Go could not read the member's content again by its name (sparse, ".." in the name, a whiteout
// with content), or the name was seen before: it has to stay among the raw bytes. Adds the name to `seen`.
std::optional<TarSplitFile> split_file(const TarEntry& entry, NameSet& seen);

// Takes a tar apart as it streams by.
class TarSplitter {
 public:
  // `out` is not owned.
  explicit TarSplitter(io::Writer& out) : writer_(out) {}

  // MUST come before bytes from file.offset on are fed, in the order of the offsets. All that is not
  // announced goes into segments.
  void announce(TarSplitFile file) { announced_.push_back(std::move(file)); }
  void feed(io::Bytes data);
  // Kind::integrity if an announced file was not complete.
  void finish();

 private:
  void end_empty_files();

  TarSplitWriter writer_;
  std::deque<TarSplitFile> announced_;
  std::uint64_t offset_ = 0;
  io::Crc64 crc_;
};

// Reads a tar to its end and writes its tar-split to `out`. Contents of files are expected to be found under
// their names afterwards: Kind::invalid_input for a tar that has two regular files of one name.
void write_tar_split(io::Reader& tar, io::Writer& out);

struct TarSplitEntry {
  bool is_file = false;
  std::string name;
  std::uint64_t size = 0;  // of the file
  std::uint64_t crc = 0;
  std::string raw;  // of a segment
};

// Reads the entries. Kind::invalid_input "invalid tar-split: ..." for what is not one; lines over 16 MiB are
// refused, so that memory is bounded.
class TarSplitEntries {
 public:
  explicit TarSplitEntries(std::unique_ptr<io::Reader> compressed,
                           io::Compression compression = io::Compression::gzip);
  std::optional<TarSplitEntry> next();

 private:
  bool read_line();

  std::unique_ptr<io::Reader> plain_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string line_;
  std::uint64_t position_ = 0;
};

// The tar again. Kind::integrity if a file is shorter, longer or other than it was; Kind::invalid_input for a
// tar-split that is none. The stream is not bounded by the size of the tar-split: callers compare size and
// digest of the tar, which they know.
class TarSplitReader final : public io::Reader {
 public:
  // The content of a file from its beginning; throws if there is none. `name` is what the tar says: it may be
  // absolute and hold "..".
  using Open = std::function<std::unique_ptr<io::Reader>(const std::string& name)>;

  TarSplitReader(std::unique_ptr<io::Reader> compressed, Open open,
                 io::Compression compression = io::Compression::gzip)
      : entries_(std::move(compressed), compression), open_(std::move(open)) {}
  std::size_t read(io::Buffer buffer) override;

 private:
  bool next_entry();
  std::size_t read_content(io::Buffer buffer);
  void end_content();

  TarSplitEntries entries_;
  Open open_;
  TarSplitEntry entry_;
  std::size_t raw_position_ = 0;
  std::unique_ptr<io::Reader> content_;
  std::uint64_t left_ = 0;
  io::Crc64 crc_;
  bool ended_ = false;
};

// Regular files below the first of `roots` that has the name: the layer's own directory, then those below it.
// Links in the middle of a name are followed inside the root, the last part is not.
TarSplitReader::Open open_in_roots(std::vector<std::shared_ptr<const os::Root>> roots);

}  // namespace lade::archive
