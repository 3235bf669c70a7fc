#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

namespace lade::os {

// "<parent>/<prefix>XXXXXX", mode 0700; removed with all it holds at the end of its life.
class TempDir {
 public:
  TempDir(const std::filesystem::path& parent, std::string_view prefix);
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace lade::os
