// flock(2): held while the object lives, between processes and between threads of one.
#pragma once

#include <filesystem>

#include "base/context.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

class [[nodiscard]] LockFile {
 public:
  enum class Mode { shared, exclusive };

  // Locks the file, created empty with mode 0600 if it is not there, or an existing directory (which needs no
  // file of its own). Waits for others; Cancelled when the context is stopped meanwhile.
  LockFile(const Context& context, const std::filesystem::path& path, Mode mode = Mode::exclusive);

 private:
  UniqueFd fd_;
};

}  // namespace lade::os
