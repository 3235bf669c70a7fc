// A file that holds an array of records.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "spec/json.hpp"

namespace lade::store {

// Which version of a file was read. A file that is not there has a version too.
struct FileVersion {
  std::int64_t seconds = 0, nanoseconds = 0;
  std::uint64_t inode = 0, size = 0;
  bool operator==(const FileVersion&) const = default;
};
FileVersion version_of(const std::filesystem::path& path);

// The elements; none if the file is missing or empty. Kind::invalid_input "<path>: <reason>" if it is
// anything but an array of objects.
std::vector<spec::Json> read_json_array(const std::filesystem::path& path);

// Replaces the file as a whole, with mode 0600.
void write_json_array(const std::filesystem::path& path, const std::vector<spec::Json>& elements, bool sync);

template <class Record>
std::vector<Record> read_records(const std::filesystem::path& path) {
  std::vector<Record> result;
  for (auto& element : read_json_array(path))
    result.push_back(
        Record::parse(std::move(element), path.string() + ": record " + std::to_string(result.size())));
  return result;
}

template <class Record>
void write_records(const std::filesystem::path& path, const std::vector<const Record*>& records, bool sync) {
  std::vector<spec::Json> elements;
  for (const Record* record : records) elements.push_back(record->to_json());
  write_json_array(path, elements, sync);
}

}  // namespace lade::store
