// A directory for one test.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "io/stream.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

namespace lade::test {

class Directory {
 public:
  Directory() : directory_(std::filesystem::temp_directory_path(), "lade-test-") {}

  std::filesystem::path operator/(const std::filesystem::path& name) const {
    return directory_.path() / name;
  }
  const std::filesystem::path& path() const { return directory_.path(); }
  std::string str() const { return path().string(); }

  std::string read(const std::filesystem::path& name) const { return os::read_file(*this / name, 1 << 30); }
  void write(const std::filesystem::path& name, std::string_view text) const {
    os::mkdir_all((*this / name).parent_path());
    os::write_file(*this / name, text);
  }
  bool has(const std::filesystem::path& name) const { return std::filesystem::exists(*this / name); }
  // All names below, directories too, relative and sorted; a file's content is in the value.
  std::map<std::string, std::string> snapshot() const {
    std::map<std::string, std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
      const auto name = std::filesystem::relative(entry.path(), path());
      result[name.string()] = entry.is_regular_file() ? read(name) : "";
    }
    return result;
  }

 private:
  os::TempDir directory_;
};

}  // namespace lade::test
