#include "common/progress.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sync.hpp"
#include "common/progress_bars.hpp"
#include "common/progress_json.hpp"

namespace lade::common {
namespace {

class SilentTransfer final : public Transfer {
 public:
  void advance(std::uint64_t) noexcept override {}
  void finish(Outcome) noexcept override {}
};

class SilentProgress final : public Progress {
 public:
  void step(std::string_view) override {}
  std::unique_ptr<Transfer> start(std::string_view, std::string_view, std::optional<std::uint64_t>) override {
    return std::make_unique<SilentTransfer>();
  }
};

class PlainProgress final : public Progress {
 public:
  explicit PlainProgress(Output& out) : out_(&out) {}

  void step(std::string_view words) override {
    auto out = out_.lock();
    (*out)->line(words);
    (*out)->flush();
  }

  std::unique_ptr<Transfer> start(std::string_view noun, std::string_view digest,
                                  std::optional<std::uint64_t>) override {
    step(fmt::format("Copying {} {}", noun, digest));
    return std::make_unique<SilentTransfer>();
  }

 private:
  Sync<Output*> out_;
};

}  // namespace

ProgressMode parse_progress_mode(std::string_view word, const Output& out) {
  if (word == "auto") return out.is_terminal() ? ProgressMode::bars : ProgressMode::plain;
  if (word == "plain") return ProgressMode::plain;
  if (word == "bars") return ProgressMode::bars;
  if (word == "json") return ProgressMode::json;
  if (word == "none") return ProgressMode::none;
  throw Error(
      Kind::invalid_input,
      fmt::format("unknown progress \"{}\". Choose one of 'auto', 'plain', 'bars', 'json', or 'none'", word));
}

std::unique_ptr<Progress> make_progress(ProgressMode mode, Output& out, LogrusLogger& logger) {
  switch (mode) {
    case ProgressMode::plain: return std::make_unique<PlainProgress>(out);
    case ProgressMode::bars: return std::make_unique<BarsProgress>(out.fd(), logger);
    case ProgressMode::json: return std::make_unique<JsonProgress>(2);
    case ProgressMode::none: break;
  }
  return std::make_unique<SilentProgress>();
}

}  // namespace lade::common
