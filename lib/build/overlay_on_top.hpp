// A directory seen through an overlay: writes do not reach it.
#pragma once

#include <filesystem>
#include <string>

namespace lade::build {

// Mounted in this program's mount namespace while the object lives.
class OverlayOnTop {
 public:
  // `upper` and `work` are made; what upper has is seen. The root looks like the source's if `upper` was new.
  OverlayOnTop(const std::filesystem::path& source, const std::filesystem::path& upper,
               const std::filesystem::path& work, const std::filesystem::path& target, bool rootless);
  ~OverlayOnTop();
  OverlayOnTop(const OverlayOnTop&) = delete;
  OverlayOnTop& operator=(const OverlayOnTop&) = delete;

  const std::filesystem::path& path() const { return target_; }

 private:
  std::filesystem::path target_;
};

}  // namespace lade::build
