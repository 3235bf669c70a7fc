// All records of one kind, from the one to three files that hold them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/record_file.hpp"
#include "store/records.hpp"

namespace lade::store {

// Where a record is kept: with the graph root, with the image store, or where it may vanish with the machine.
enum class Place { stable, image_store, volatile_file };

// Of a layer that somebody began to create or to delete: everybody treats it as absent.
inline bool is_hidden(const LayerRecord& layer) {
  return layer.is_incomplete();
}
inline bool is_hidden(const ImageRecord&) {
  return false;
}
inline bool is_hidden(const ContainerRecord&) {
  return false;
}

// A value: reading and changing are bracketed by the lock of the files, which the caller holds.
template <class Record>
class RecordTable {
 public:
  struct File {
    Place place;
    std::filesystem::path path;
  };
  struct Entry {
    Record record;
    Place place;
  };

  // In this order: of several records with one ID the first counts.
  static RecordTable read(std::vector<File> files) {
    RecordTable result;
    for (const auto& file : files)
      for (auto& record : read_records<Record>(file.path))
        if (!result.index_.contains(record.id)) result.append(std::move(record), file.place);
    result.files_ = std::move(files);
    return result;
  }

  const std::vector<Entry>& entries() const { return entries_; }

  // nullptr if there is none. Valid until the table changes.
  const Record* find(std::string_view id) const {
    const Entry* entry = find_entry(id);
    return entry && !is_hidden(entry->record) ? &entry->record : nullptr;
  }
  const Entry* find_entry(std::string_view id) const {
    const auto found = index_.find(std::string(id));
    return found == index_.end() ? nullptr : &entries_[found->second];
  }

  // By ID, by name, by the beginning of an ID that no other has; in this order.
  const Record* look_up(std::string_view text) const {
    if (const Record* record = find(text)) return record;
    const Record* found = nullptr;
    for (const auto& entry : entries_)
      if (!is_hidden(entry.record) && std::ranges::find(entry.record.names, text) != entry.record.names.end())
        return &entry.record;
    if (text.empty()) return nullptr;
    for (const auto& entry : entries_) {
      if (is_hidden(entry.record) || !entry.record.id.starts_with(text)) continue;
      if (found) return nullptr;
      found = &entry.record;
    }
    return found;
  }

  // The record to change; its file will be written. MUST exist, hidden or not.
  Record& edit(std::string_view id) {
    Entry& entry = entries_.at(index_.at(std::string(id)));
    set_dirty(entry.place);
    return entry.record;
  }
  void add(Record record, Place place) {
    append(std::move(record), place);
    set_dirty(place);
  }
  void remove(std::string_view id) {
    const auto found = index_.find(std::string(id));
    if (found == index_.end()) return;
    set_dirty(entries_[found->second].place);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(found->second));
    index_.clear();
    for (std::size_t i = 0; i < entries_.size(); ++i) index_.emplace(entries_[i].record.id, i);
  }

  bool is_dirty(Place place) const { return std::ranges::find(dirty_, place) != dirty_.end(); }
  bool is_dirty() const { return !dirty_.empty(); }

  // Replaces the files of which something changed. `sync`: those that are not volatile reach the disk first.
  void write(bool sync) {
    for (const auto& file : files_) {
      if (!is_dirty(file.place)) continue;
      std::vector<const Record*> records;
      for (const auto& entry : entries_)
        if (entry.place == file.place) records.push_back(&entry.record);
      write_records(file.path, records, sync && file.place != Place::volatile_file);
    }
    dirty_.clear();
  }

 private:
  void append(Record record, Place place) {
    index_.emplace(record.id, entries_.size());
    entries_.push_back({std::move(record), place});
  }
  void set_dirty(Place place) {
    if (!is_dirty(place)) dirty_.push_back(place);
  }

  std::vector<File> files_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Place> dirty_;
};

using LayerTable = RecordTable<LayerRecord>;
using ImageTable = RecordTable<ImageRecord>;
using ContainerTable = RecordTable<ContainerRecord>;

}  // namespace lade::store
