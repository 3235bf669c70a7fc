#include "io/codec/archive_filter.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace lade::io {

namespace {

using namespace std::string_view_literals;

// The one encoding of no bytes at all, up to its block size (bzip2) or kind of check (xz).
bool encodes_nothing(std::string_view text, Compression compression) {
  if (compression == Compression::bzip2) {
    return text.size() == 14 && text.substr(4) == "\x17\x72\x45\x38\x50\x90\0\0\0\0"sv;
  }
  return text.size() == 32 && text.substr(12, 8) == "\0\0\0\0\x1c\xdf\x44\x21"sv && text.ends_with("YZ");
}

struct FreeArchive {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

// libarchive's "raw" format: one entry that is the decoded stream.
class ArchiveFilterReader final : public Reader {
 public:
  ArchiveFilterReader(std::unique_ptr<Reader> inner, Compression compression)
      : inner_(std::move(inner)),
        compression_(compression),
        buffer_(chunk_size),
        archive_(archive_read_new()) {
    if (!archive_) throw std::bad_alloc();
    // Appended, not "supported": libarchive must not take off a second layer of compression that it detects.
    const int filter = compression == Compression::xz ? ARCHIVE_FILTER_XZ : ARCHIVE_FILTER_BZIP2;
    check(archive_read_append_filter(archive_.get(), filter));
    check(archive_read_support_format_raw(archive_.get()));
    check(archive_read_support_format_empty(archive_.get()));
  }

  std::size_t read(Buffer buffer) override {
    if (!opened_) open();
    if (ended_) return 0;
    const la_ssize_t count = archive_read_data(archive_.get(), buffer.data(), buffer.size());
    check(count < 0 ? ARCHIVE_FATAL : ARCHIVE_OK);
    return static_cast<std::size_t>(count);
  }

 private:
  void open() {
    opened_ = true;
    check(archive_read_open(archive_.get(), this, nullptr, read_inner, nullptr));
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(archive_.get(), &entry);
    ended_ = result == ARCHIVE_EOF;
    check(ended_ ? ARCHIVE_OK : result);
    // Data that breaks before its first decoded byte looks empty to libarchive, too.
    if (ended_ && !encodes_nothing(as_text(Bytes(buffer_).first(last_count_)), compression_)) {
      throw_corrupt("corrupt data");
    }
  }

  void check(int result) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    const char* message = archive_error_string(archive_.get());
    throw_corrupt(message != nullptr ? message : "corrupt data");
  }

  [[noreturn]] void throw_corrupt(std::string_view why) const {
    throw Error(Kind::integrity, std::string(name_of(compression_)) + ": " + std::string(why));
  }

  std::size_t refill() {
    if (exhausted_) return 0;
    last_count_ = read_full(*inner_, buffer_);
    exhausted_ = last_count_ < buffer_.size();
    return last_count_;
  }

  // Called by C code: no exception may pass.
  static la_ssize_t read_inner(archive* handle, void* self, const void** data) noexcept {
    auto& reader = *static_cast<ArchiveFilterReader*>(self);
    try {
      *data = reader.buffer_.data();
      return static_cast<la_ssize_t>(reader.refill());
    } catch (...) {
      reader.failure_ = std::current_exception();
      archive_set_error(handle, EIO, "read failed");
      return -1;
    }
  }

  std::unique_ptr<Reader> inner_;
  Compression compression_;
  std::vector<std::byte> buffer_;
  std::size_t last_count_ = 0;  // bytes of buffer_ in use
  bool exhausted_ = false;      // inner must not be read again
  std::exception_ptr failure_;
  bool opened_ = false;
  bool ended_ = false;
  std::unique_ptr<archive, FreeArchive> archive_;  // last: it must go before what its callback uses
};

}  // namespace

std::unique_ptr<Reader> make_archive_filter_reader(std::unique_ptr<Reader> inner, Compression compression) {
  return std::make_unique<ArchiveFilterReader>(std::move(inner), compression);
}

}  // namespace lade::io
