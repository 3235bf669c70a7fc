#include "archive/tar_split.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "archive/tar_reader.hpp"
#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/codec/codec.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"

namespace lade::archive {

namespace {

constexpr std::size_t max_split_line = 16 * 1024 * 1024;

[[noreturn]] void throw_invalid_split(std::string_view why) {
  throw Error(Kind::invalid_input, "invalid tar-split: " + std::string(why));
}

std::string big_endian(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

bool is_plain_json(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
  });
}

bool has_parent_step(std::string_view name) {
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

bool is_whiteout_name(std::string_view clean) {
  const auto slash = clean.rfind('/');
  return clean.substr(slash == std::string_view::npos ? 0 : slash + 1).starts_with(".wh.");
}

// Hands on what it reads.
class FeedingReader final : public io::Reader {
 public:
  FeedingReader(io::Reader& inner, TarSplitter& splitter) : inner_(inner), splitter_(splitter) {}
  std::size_t read(io::Buffer buffer) override {
    const std::size_t count = inner_.read(buffer);
    splitter_.feed(buffer.first(count));
    return count;
  }

 private:
  io::Reader& inner_;
  TarSplitter& splitter_;
};

}  // namespace

std::optional<std::string> json_string(std::string_view text) {
  if (is_plain_json(text)) return '"' + std::string(text) + '"';
  std::string dumped = spec::dump_json(spec::Json(text));
  if (spec::Json::parse(dumped).get_ref<const std::string&>() != text) return std::nullopt;
  return dumped;
}

void TarSplitWriter::end_line() {
  line_ += ",\"position\":";
  line_ += std::to_string(position_++);
  line_ += "}\n";
  (gzip_ ? *gzip_ : out_).write(io::as_bytes(line_));
}

void TarSplitWriter::flush_segment() {
  if (segment_.empty()) return;
  line_ = R"({"type":2,"payload":")";
  line_ += config::base64_encode(segment_);
  line_ += '"';
  end_line();
  segment_.clear();
}

void TarSplitWriter::raw(io::Bytes data) {
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), max_segment - segment_.size()));
    segment_ += io::as_text(part);
    data = data.subspan(part.size());
    if (segment_.size() == max_segment) flush_segment();
  }
}

void TarSplitWriter::file(std::string_view name, std::uint64_t size, std::uint64_t crc) {
  flush_segment();
  line_ = R"({"type":1)";
  if (auto text = json_string(name); !text) {
    line_ += R"(,"name_raw":")" + config::base64_encode(name) + '"';
  } else if (!name.empty()) {
    line_ += R"(,"name":)" + *text;
  }
  if (size > 0) line_ += R"(,"size":)" + std::to_string(size);
  line_ += R"(,"payload":)";
  line_ += size > 0 ? '"' + config::base64_encode(big_endian(crc)) + '"' : "null";
  end_line();
}

void TarSplitWriter::finish() {
  flush_segment();
  if (gzip_) gzip_->finish();
}

std::optional<TarSplitFile> split_file(const TarEntry& entry, NameSet& seen) {
  const TarHeader& header = entry.header;
  const std::string clean = clean_name(header.name);
  if (!seen.insert(NameSet::hash(clean))) return std::nullopt;
  const bool lost = entry.sparse || has_parent_step(header.name) || is_whiteout_name(clean);
  if (lost && entry.stored_size > 0) return std::nullopt;
  return TarSplitFile{header.name, entry.data_offset, entry.stored_size};
}

void TarSplitter::end_empty_files() {
  while (!announced_.empty() && announced_.front().size == 0 && announced_.front().offset == offset_) {
    writer_.file(announced_.front().name, 0, 0);
    announced_.pop_front();
  }
}

void TarSplitter::feed(io::Bytes data) {
  while (!data.empty()) {
    end_empty_files();
    std::uint64_t want = data.size();
    const bool in_file = !announced_.empty() && announced_.front().offset <= offset_;
    if (!announced_.empty()) {
      const auto& file = announced_.front();
      want = std::min(want, (in_file ? file.offset + file.size : file.offset) - offset_);
    }
    const auto part = data.first(static_cast<std::size_t>(want));
    data = data.subspan(part.size());
    offset_ += part.size();
    if (!in_file) {
      writer_.raw(part);
      continue;
    }
    crc_.update(part);
    const auto& file = announced_.front();
    if (offset_ < file.offset + file.size) continue;
    writer_.file(file.name, file.size, std::exchange(crc_, {}).value());
    announced_.pop_front();
  }
}

void TarSplitter::finish() {
  end_empty_files();
  if (!announced_.empty()) throw Error(Kind::integrity, "unexpected end of tar archive");
  writer_.finish();
}

void write_tar_split(io::Reader& tar, io::Writer& out) {
  TarSplitter splitter(out);
  FeedingReader feeding(tar, splitter);
  TarReader reader(feeding);
  NameSet seen;
  while (const TarEntry* entry = reader.next()) {
    const bool again = seen.contains(NameSet::hash(clean_name(entry->header.name)));
    if (again && entry->header.type == TarType::regular) {
      throw Error(Kind::invalid_input, "two files in a tar have the name " + entry->header.name);
    }
    if (auto file = split_file(*entry, seen)) splitter.announce(std::move(*file));
  }
  io::drain(feeding);
  splitter.finish();
}

TarSplitEntries::TarSplitEntries(std::unique_ptr<io::Reader> compressed, io::Compression compression)
    : plain_(io::decompress(std::move(compressed), compression)), buffer_(io::chunk_size) {}

// Into line_, without its end; false at the end of the stream.
bool TarSplitEntries::read_line() {
  line_.clear();
  for (;;) {
    const auto rest = io::as_text(io::Bytes(buffer_).subspan(begin_, end_ - begin_));
    const auto newline = rest.find('\n');
    line_ += rest.substr(0, newline);
    if (line_.size() > max_split_line) throw_invalid_split("a line is longer than 16 MiB");
    if (newline != std::string_view::npos) {
      begin_ += newline + 1;
      return true;
    }
    begin_ = 0;
    end_ = plain_->read(buffer_);
    if (end_ == 0) {
      if (!line_.empty()) throw_invalid_split("the last line has no end");
      return false;
    }
  }
}

namespace {

constexpr std::string_view split_document = "tar-split";

std::string decoded(const spec::Json& object, std::string_view member) {
  auto bytes = config::base64_decode(spec::string_member(object, member, split_document));
  if (!bytes) throw_invalid_split(std::string(member) + " is not base64");
  return std::move(*bytes);
}

TarSplitEntry parse_entry(const std::string& line, std::uint64_t position) {
  const auto object = spec::parse_json(line, split_document, max_split_line);
  if (!object.is_object()) throw_invalid_split("an entry is not an object");
  if (spec::size_member(object, "position", split_document).value_or(0) != position) {
    throw_invalid_split("entries are missing or out of order");
  }
  const auto type = spec::size_member(object, "type", split_document).value_or(0);
  TarSplitEntry entry;
  if (type == 2) {
    entry.raw = decoded(object, "payload");
    return entry;
  }
  if (type != 1) throw_invalid_split("an entry of an unknown type");
  entry.is_file = true;
  entry.name = spec::find_member(object, "name_raw") != nullptr
                   ? decoded(object, "name_raw")
                   : spec::string_member(object, "name", split_document);
  entry.size = spec::size_member(object, "size", split_document).value_or(0);
  if (entry.size == 0) return entry;
  const auto crc = decoded(object, "payload");
  if (crc.size() != sizeof entry.crc) throw_invalid_split("a checksum is not of 64 bits");
  entry.crc = from_big_endian(crc);
  return entry;
}

}  // namespace

std::optional<TarSplitEntry> TarSplitEntries::next() {
  if (!read_line()) return std::nullopt;
  return parse_entry(line_, position_++);
}

bool TarSplitReader::next_entry() {
  auto next = entries_.next();
  if (!next) return false;
  entry_ = std::move(*next);
  raw_position_ = 0;
  left_ = 0;
  if (!entry_.is_file || entry_.size == 0) return true;
  in_context([&] { return "reading " + entry_.name; }, [&] { content_ = open_(entry_.name); });
  left_ = entry_.size;
  crc_ = {};
  return true;
}

std::size_t TarSplitReader::read_content(io::Buffer buffer) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  const std::size_t count = content_->read(buffer.first(want));
  if (count == 0)
    throw Error(Kind::integrity, "the file " + entry_.name + " of the layer has become shorter");
  crc_.update(buffer.first(count));
  left_ -= count;
  if (left_ == 0) end_content();
  return count;
}

void TarSplitReader::end_content() {
  std::array<std::byte, 1> more;
  if (crc_.value() != entry_.crc || content_->read(more) != 0) {
    throw Error(Kind::integrity, "the file " + entry_.name + " of the layer has changed");
  }
  content_.reset();
}

std::size_t TarSplitReader::read(io::Buffer buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const auto rest = buffer.subspan(total);
    if (raw_position_ < entry_.raw.size()) {
      const auto bytes = io::as_bytes(entry_.raw).subspan(raw_position_);
      const auto part = bytes.first(std::min(bytes.size(), rest.size()));
      std::copy(part.begin(), part.end(), rest.begin());
      raw_position_ += part.size();
      total += part.size();
    } else if (left_ > 0) {
      total += read_content(rest);
    } else if (ended_ || !next_entry()) {
      ended_ = true;
      break;
    }
  }
  return total;
}

TarSplitReader::Open open_in_roots(std::vector<std::shared_ptr<const os::Root>> roots) {
  return [roots = std::move(roots)](const std::string& name) -> std::unique_ptr<io::Reader> {
    for (const auto& root : roots) {
      try {
        // A fifo must not block.
        os::UniqueFd fd = root->open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        if (!S_ISREG(os::stat_of(fd).st_mode)) continue;
        return std::make_unique<os::FileReader>(std::move(fd));
      } catch (const Error& error) {
        if (error.kind() != Kind::not_found) throw;
      }
    }
    throw Error(Kind::not_found, "no directory of the layer has the file " + name);
  };
}

}  // namespace lade::archive
