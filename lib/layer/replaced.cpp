#include "layer/replaced.hpp"

#include <memory>
#include <string>
#include <utility>

#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "io/crc64.hpp"
#include "os/file.hpp"

namespace lade::layer {

namespace {

// Passes on as raw bytes, and counts.
class RawWriter final : public io::Writer {
 public:
  explicit RawWriter(archive::TarSplitWriter& out) : out_(out) {}
  void write(io::Bytes data) override {
    crc_.update(data);
    out_.raw(data);
  }
  std::uint64_t crc() const { return crc_.value(); }

 private:
  archive::TarSplitWriter& out_;
  io::Crc64 crc_;
};

}  // namespace

void ReplacedContents::keep(int parent, const std::string& name, std::string_view path) {
  const auto hash = archive::NameSet::hash(path);
  if (kept_.contains(hash)) return;
  os::UniqueFd file(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) throw Error::from_errno(errno, "open " + name);
  if (!file_) file_ = std::make_shared<const os::UniqueFd>(os::open_unnamed(scratch_));
  os::FileReader reader(std::move(file));
  os::FileWriter writer(os::duplicate(file_->get()));
  const auto size = io::copy(reader, writer);
  kept_.emplace(hash, Range{end_, size});
  end_ += size;
}

void ReplacedContents::rewrite(std::unique_ptr<io::Reader> tar_split, io::Writer& out) {
  archive::TarSplitEntries entries(std::move(tar_split));
  archive::TarSplitWriter writer(out);
  while (const auto entry = entries.next()) {
    const auto kept = kept_.find(archive::NameSet::hash(archive::clean_name(entry->name)));
    if (!entry->is_file) {
      writer.raw(io::as_bytes(entry->raw));
    } else if (entry->size == 0 || kept == kept_.end()) {
      writer.file(entry->name, entry->size, entry->crc);
    } else {
      os::RangeReader content(file_, kept->second.offset, kept->second.size);
      RawWriter raw(writer);
      if (io::copy(content, raw) != entry->size || raw.crc() != entry->crc) {
        throw Error(Kind::integrity, "the file " + entry->name + " of the layer has changed");
      }
    }
  }
  writer.finish();
}

}  // namespace lade::layer
