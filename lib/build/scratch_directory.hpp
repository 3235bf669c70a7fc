// Directories that a killed program leaves behind, with mounts in them: the next program takes them away.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "base/context.hpp"
#include "os/lock_file.hpp"
#include "os/temp_dir.hpp"

namespace lade::build {

class ScratchDirectory {
 public:
  // "<parent>/<prefix>XXXXXX", locked while the object lives. Others of that prefix whose program has ended
  // are removed, with what is mounted below them; `abandoned` hears of each before.
  ScratchDirectory(const Context& context, const std::filesystem::path& parent, std::string_view prefix,
                   const std::function<void(const std::filesystem::path&)>& abandoned = {});

  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  std::optional<os::LockFile> gate_;  // so that nobody sees a directory that is not locked yet
  os::TempDir directory_;
  os::LockFile alive_;
};

}  // namespace lade::build
