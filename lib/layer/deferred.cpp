#include "layer/deferred.hpp"

#include <cstring>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::layer {

namespace {

struct DeferredRecord {
  std::array<std::timespec, 2> times;
  std::uint32_t mode;
  bool set_mode;
  std::uint16_t path_size;  // below PATH_MAX
};

void for_each_record(std::string_view block, const std::function<void(const DeferredDirectory&)>& fn) {
  while (!block.empty()) {
    DeferredRecord record;
    std::memcpy(&record, block.data(), sizeof record);
    block.remove_prefix(sizeof record);
    fn({std::string(block.substr(0, record.path_size)), record.times, record.set_mode, record.mode});
    block.remove_prefix(record.path_size);
  }
}

}  // namespace

void DeferredDirectories::add(const DeferredDirectory& directory) {
  DeferredRecord record{};
  record.times = directory.times;
  record.mode = directory.mode;
  record.set_mode = directory.set_mode;
  record.path_size = static_cast<std::uint16_t>(directory.path.size());
  block_.append(reinterpret_cast<const char*>(&record), sizeof record);
  block_ += directory.path;
  if (block_.size() < max_block) return;
  if (!file_.is_open()) file_ = os::open_unnamed(scratch_);
  os::write_all(file_, io::as_bytes(block_));
  written_.push_back(block_.size());
  block_.clear();
}

void DeferredDirectories::for_each(const std::function<void(const DeferredDirectory&)>& fn) {
  const auto file = std::make_shared<const os::UniqueFd>(std::move(file_));
  std::uint64_t offset = 0;
  for (const std::size_t size : written_) {
    os::RangeReader reader(file, offset, size);
    for_each_record(io::read_all(reader, size, "directory times"), fn);
    offset += size;
  }
  for_each_record(block_, fn);
}

}  // namespace lade::layer
