// Progress for programs: one JSON object a line.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/progress.hpp"

namespace lade::common {

// {"event":"step","message":M}
// {"event":"start","kind":"blob"|"config","digest":D,"size":N|null}
// {"event":"progress","digest":D,"bytes":N,"size":N|null}   at most every half second
// {"event":"done"|"exists"|"mounted"|"failed","digest":D,"bytes":N,"seconds":S}
class JsonProgress final : public Progress {
 public:
  explicit JsonProgress(int fd) : fd_(fd) {}

  void step(std::string_view words) override;
  std::unique_ptr<Transfer> start(std::string_view noun, std::string_view digest,
                                  std::optional<std::uint64_t> size) override;

 private:
  int fd_;
};

}  // namespace lade::common
