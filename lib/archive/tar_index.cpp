#include "archive/tar_index.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/pax.hpp"
#include "archive/tar_reader.hpp"
#include "archive/tar_sparse.hpp"
#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::archive {

namespace {

// Of all the headers: a million members with names of usual length.
constexpr std::size_t max_memory = 512 << 20;

std::size_t memory_of(const TarHeader& header, const TarEntry& entry) {
  return 2 * sizeof entry + 2 * header.name.size() + header.link.size() +
         (entry.sparse ? entry.sparse->size() * sizeof(SparseExtent) : 0);
}

// Headers are small and far apart: reading a little ahead saves calls where files are small.
class FileCursor final : public SkippingReader {
 public:
  explicit FileCursor(const os::UniqueFd& file)
      : file_(file), size_(static_cast<std::uint64_t>(os::stat_of(file).st_size)) {}

  std::size_t read(io::Buffer buffer) override {
    if (begin_ == end_) fill();
    const auto n = std::min(buffer.size(), end_ - begin_);
    std::copy_n(ahead_.begin() + static_cast<std::ptrdiff_t>(begin_), n, buffer.begin());
    begin_ += n;
    return n;
  }

  void skip(std::uint64_t size) override {
    const auto buffered = std::min<std::uint64_t>(size, end_ - begin_);
    begin_ += static_cast<std::size_t>(buffered);
    size -= buffered;
    if (size > size_ - std::min(size_, offset_))
      throw Error(Kind::integrity, "unexpected end of tar archive");
    offset_ += size;
  }

 private:
  void fill() {
    for (;;) {
      const auto n = ::pread(file_.get(), ahead_.data(), ahead_.size(), static_cast<off_t>(offset_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw Error::from_errno(errno, "read");
      begin_ = 0;
      end_ = static_cast<std::size_t>(n);
      offset_ += end_;
      return;
    }
  }

  const os::UniqueFd& file_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;  // of the next byte that is not in ahead_
  std::array<std::byte, 4096> ahead_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class SparseFileReader final : public io::Reader {
 public:
  SparseFileReader(std::unique_ptr<io::Reader> stored, const TarEntry& entry)
      : stored_(std::move(stored)), reader_(*stored_, *entry.sparse, entry.header.size) {}
  std::size_t read(io::Buffer buffer) override { return reader_.read(buffer); }

 private:
  std::unique_ptr<io::Reader> stored_;
  SparseReader reader_;
};

std::string directory_of(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(name.substr(0, slash + 1));
}

}  // namespace

TarIndex::TarIndex(const Context& context, std::shared_ptr<const os::UniqueFd> file, Duplicates duplicates)
    : file_(std::move(file)) {
  FileCursor cursor(*file_);
  TarReader tar(cursor);
  std::size_t memory = 0;
  while (const TarEntry* entry = tar.next()) {
    context.throw_if_stopped();
    if (entry->header.type == TarType::global_pax) continue;
    memory += memory_of(entry->header, *entry);
    if (memory > max_memory) throw Error(Kind::invalid_input, "tar archive has too many members");
    entries_.push_back(*entry);
    entries_.back().header.pax.clear();
    const auto [place, is_new] = by_name_.try_emplace(clean_name(entry->header.name), entries_.size() - 1);
    if (!is_new && duplicates == Duplicates::last) place->second = entries_.size() - 1;
  }
}

const TarEntry* TarIndex::find(std::string_view name) const {
  const auto found = by_name_.find(clean_name(name));
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

const TarEntry* TarIndex::find_file(std::string_view name) const {
  const TarEntry* entry = find(name);
  for (int links = 0; entry != nullptr && links < 8; ++links) {
    const TarHeader& header = entry->header;
    if (header.type == TarType::symlink) {
      entry = find(directory_of(clean_name(header.name)) + header.link);
    } else if (header.type == TarType::hard_link) {
      entry = find(header.link);
    } else {
      return entry;
    }
  }
  return nullptr;
}

std::unique_ptr<io::Reader> TarIndex::open(const TarEntry& entry) const {
  auto stored = std::make_unique<os::RangeReader>(file_, entry.data_offset, entry.stored_size);
  if (!entry.sparse) return stored;
  return std::make_unique<SparseFileReader>(std::move(stored), entry);
}

}  // namespace lade::archive
