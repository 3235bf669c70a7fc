// The JSON of a TOC, entry by entry: nothing of it is kept but the file that is being read.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "layer/chunked_toc.hpp"

namespace lade::layer {

namespace {

using TocJson = nlohmann::json;

// A byte of a zstd block (at most 128 KiB for 4 bytes, RFC 8878 section 3.1.1.2) cannot become more.
constexpr std::uint64_t max_expansion = 32 * 1024;
constexpr std::size_t max_toc_text = 64 * 1024;  // of a name or a digest

// The members that matter here.
struct TocEntry {
  std::string type, name, digest, chunk_digest, chunk_type;
  std::uint64_t size = 0, offset = 0, end_offset = 0, chunk_size = 0, chunk_offset = 0;
};

spec::Digest toc_sha256(const std::string& text) {
  auto digest = spec::Digest::try_parse(text);
  if (!digest || digest->algorithm() != spec::Digest::Algorithm::sha256)
    throw Error(Kind::invalid_input, "a digest is no sha256");
  return std::move(*digest);
}

// Puts the entries of a file together.
class TocFiles {
 public:
  TocFiles(std::uint64_t blob_end, const std::function<void(TocFile&&)>& take)
      : blob_end_(blob_end), take_(take) {}

  void add(TocEntry&& entry) {
    if (entry.type == "chunk") return add_chunk(std::move(entry));
    finish();
    if (entry.type != "reg" || entry.size == 0) return;
    size_ = entry.size;
    end_ = entry.end_offset;
    entries_.push_back(std::move(entry));
  }

  // The last file.
  void finish() {
    if (entries_.empty()) return;
    auto entries = std::move(entries_);
    entries_.clear();
    take_(file_of(entries));
  }

 private:
  void add_chunk(TocEntry&& entry) {
    if (entries_.empty() || entries_.front().name != entry.name)
      throw Error(Kind::invalid_input, "a chunk without its file");
    entries_.push_back(std::move(entry));
  }

  TocFile file_of(const std::vector<TocEntry>& entries) const {
    const bool is_whole = entries.size() == 1;
    const TocEntry& first = entries.front();
    TocFile file{first.name, size_, toc_sha256(first.digest), {}};
    std::uint64_t position = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const TocEntry& entry = entries[i];
      const std::uint64_t end = i + 1 < entries.size() ? entries[i + 1].offset : end_;
      TocChunk chunk{is_whole && entry.chunk_size == 0 ? size_ : entry.chunk_size, entry.offset,
                     end - entry.offset,
                     is_whole && entry.chunk_digest.empty() ? file.digest : toc_sha256(entry.chunk_digest),
                     entry.chunk_type == "zeros"};
      if (!chunk.is_hole && !entry.chunk_type.empty())
        throw Error(Kind::invalid_input, "a chunk of unknown type");
      if (entry.offset == 0 || entry.offset >= end || end > blob_end_)
        throw Error(Kind::invalid_input, "a chunk is not where it can be");
      if (entry.chunk_offset != position || chunk.size == 0 || chunk.size > size_ - position)
        throw Error(Kind::invalid_input, "chunks do not add up to their file");
      if (chunk.size / max_expansion > chunk.blob_size)
        throw Error(Kind::invalid_input, "a chunk is larger than zstd could make it");
      position += chunk.size;
      file.chunks.push_back(std::move(chunk));
    }
    if (position != size_) throw Error(Kind::invalid_input, "chunks do not add up to their file");
    return file;
  }

  std::uint64_t blob_end_;
  const std::function<void(TocFile&&)>& take_;
  std::vector<TocEntry> entries_;  // of the file so far
  std::uint64_t size_ = 0, end_ = 0;
};

// {"version", "entries": [{...}], "tarSplitDigest"}; all that is not known is skipped.
class TocHandler final : public nlohmann::json_sax<TocJson> {
 public:
  explicit TocHandler(TocFiles& files) : files_(files) {}

  std::uint64_t version = 0;
  std::string tar_split_digest;
  bool has_entries = false;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return number(std::nullopt); }
  bool number_unsigned(number_unsigned_t number_) override { return number(number_); }
  bool number_float(number_float_t, const string_t&) override { return number(std::nullopt); }
  bool binary(binary_t&) override { return value(); }

  bool string(string_t& text) override {
    if (skipped_ > 0) return true;
    if (std::string* target = text_target()) {
      if (text.size() > max_toc_text) throw Error(Kind::invalid_input, "a text is too long");
      *target = std::move(text);
      return true;
    }
    return value();
  }

  bool key(string_t& name) override {
    if (skipped_ == 0) key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    if (skipped_ > 0) return skip_deeper();
    if (place_ == Place::outside) {
      place_ = Place::root;
    } else if (place_ == Place::entries) {
      place_ = Place::entry;
      entry_ = {};
    } else {
      skipped_ = 1;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (skipped_ > 0) return skip_deeper();
    if (place_ == Place::root && key_ == "entries") {
      if (std::exchange(has_entries, true)) throw Error(Kind::invalid_input, "entries occur twice");
      place_ = Place::entries;
    } else if (place_ == Place::root || place_ == Place::entry) {
      skipped_ = 1;
    } else {
      throw Error(Kind::invalid_input, "an array where an object should be");
    }
    return true;
  }

  bool end_object() override {
    if (skipped_ > 0) return --skipped_, true;
    if (place_ == Place::entry) {
      files_.add(std::move(entry_));
      place_ = Place::entries;
    } else {
      place_ = Place::outside;
    }
    return true;
  }

  bool end_array() override {
    if (skipped_ > 0) return --skipped_, true;
    place_ = Place::root;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw Error(Kind::invalid_input, fmt::format("invalid JSON at byte {}", position));
  }

 private:
  enum class Place { outside, root, entries, entry };
  static constexpr unsigned max_skipped_depth = 16;

  bool skip_deeper() {
    if (++skipped_ > max_skipped_depth) throw Error(Kind::invalid_input, "it is nested too deep");
    return true;
  }

  std::string* text_target() {
    if (place_ == Place::root && key_ == "tarSplitDigest") return &tar_split_digest;
    if (place_ != Place::entry) return nullptr;
    if (key_ == "type") return &entry_.type;
    if (key_ == "name") return &entry_.name;
    if (key_ == "digest") return &entry_.digest;
    if (key_ == "chunkDigest") return &entry_.chunk_digest;
    if (key_ == "chunkType") return &entry_.chunk_type;
    return nullptr;
  }

  std::uint64_t* number_target() {
    if (place_ == Place::root && key_ == "version") return &version;
    if (place_ != Place::entry) return nullptr;
    if (key_ == "size") return &entry_.size;
    if (key_ == "offset") return &entry_.offset;
    if (key_ == "endOffset") return &entry_.end_offset;
    if (key_ == "chunkSize") return &entry_.chunk_size;
    if (key_ == "chunkOffset") return &entry_.chunk_offset;
    return nullptr;
  }

  bool number(std::optional<std::uint64_t> number) {
    if (skipped_ > 0) return true;
    std::uint64_t* target = number_target();
    if (target == nullptr) return text_target() == nullptr ? value(true) : value();
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw Error(Kind::invalid_input, key_ + " is out of range");
    *target = *number;
    return true;
  }

  // A value that is not looked at, which must not stand where another one is expected.
  bool value(bool is_number = false) {
    if (skipped_ > 0) return true;
    const bool is_member = place_ == Place::root || place_ == Place::entry;
    if (!is_member || (place_ == Place::root && key_ == "entries") || text_target() != nullptr ||
        (!is_number && number_target() != nullptr))
      throw Error(Kind::invalid_input, "a value of the wrong type");
    return true;
  }

  TocFiles& files_;
  Place place_ = Place::outside;
  unsigned skipped_ = 0;  // levels of what is not looked at
  std::string key_;
  TocEntry entry_;
};

}  // namespace

std::optional<spec::Digest> parse_toc(std::string_view json, std::uint64_t blob_end,
                                      const std::function<void(TocFile&&)>& take) {
  return in_context("invalid TOC", [&]() -> std::optional<spec::Digest> {
    if (json.size() > max_toc_size) throw Error(Kind::invalid_input, "it is larger than 50 MiB");
    TocFiles files(blob_end, take);
    TocHandler handler(files);
    TocJson::sax_parse(json.begin(), json.end(), &handler);
    files.finish();
    if (handler.version != 1) throw Error(Kind::invalid_input, "it is not of version 1");
    if (!handler.has_entries) throw Error(Kind::invalid_input, "there are no entries");
    if (handler.tar_split_digest.empty()) return std::nullopt;
    return toc_sha256(handler.tar_split_digest);
  });
}

}  // namespace lade::layer
