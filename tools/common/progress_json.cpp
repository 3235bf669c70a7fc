#include "common/progress_json.hpp"

#include <chrono>
#include <string>

#include "common/output.hpp"
#include "spec/json.hpp"

namespace lade::common {
namespace {

using spec::Json;
using Steady = std::chrono::steady_clock;

constexpr auto interval = std::chrono::milliseconds(500);

Json size_or_null(const std::optional<std::uint64_t>& size) {
  return size ? Json(*size) : Json(nullptr);
}

void emit(int fd, const Json& event) {
  write_best_effort(fd, spec::dump_json(event) + "\n");
}

std::string_view name_of(Transfer::Outcome outcome) {
  switch (outcome) {
    case Transfer::Outcome::done: return "done";
    case Transfer::Outcome::already_exists: return "exists";
    case Transfer::Outcome::mounted: return "mounted";
  }
  return "done";
}

class JsonTransfer final : public Transfer {
 public:
  JsonTransfer(int fd, std::string_view digest, std::optional<std::uint64_t> size)
      : fd_(fd), digest_(digest), size_(size), started_(Steady::now()), shown_(started_) {}

  ~JsonTransfer() override {
    if (!finished_) end("failed");
  }

  void advance(std::uint64_t bytes) noexcept override {
    bytes_ += bytes;
    const auto now = Steady::now();
    if (now - shown_ < interval) return;
    shown_ = now;
    emit(fd_, {{"event", "progress"}, {"digest", digest_}, {"bytes", bytes_}, {"size", size_or_null(size_)}});
  }

  void finish(Outcome outcome) noexcept override {
    finished_ = true;
    end(name_of(outcome));
  }

 private:
  void end(std::string_view event) noexcept {
    const std::chrono::duration<double> seconds = Steady::now() - started_;
    emit(fd_, {{"event", event}, {"digest", digest_}, {"bytes", bytes_}, {"seconds", seconds.count()}});
  }

  int fd_;
  std::string digest_;
  std::optional<std::uint64_t> size_;
  std::uint64_t bytes_ = 0;
  Steady::time_point started_, shown_;
  bool finished_ = false;
};

}  // namespace

void JsonProgress::step(std::string_view words) {
  emit(fd_, {{"event", "step"}, {"message", words}});
}

std::unique_ptr<Transfer> JsonProgress::start(std::string_view noun, std::string_view digest,
                                              std::optional<std::uint64_t> size) {
  emit(fd_, {{"event", "start"}, {"kind", noun}, {"digest", digest}, {"size", size_or_null(size)}});
  return std::make_unique<JsonTransfer>(fd_, digest, size);
}

}  // namespace lade::common
