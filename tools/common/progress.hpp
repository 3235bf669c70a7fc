// The ways to show a copy: the peer's plain lines, live bars, JSON events, nothing.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/context.hpp"
#include "common/log_format.hpp"
#include "common/output.hpp"

namespace lade::common {

enum class ProgressMode {
  plain,  // lines on standard output, as skopeo's
  bars,   // on a terminal
  json,   // one event a line on standard error
  none,
};

// "auto", "plain", "bars", "json" or "none"; auto: bars if `out` is a terminal, plain otherwise.
// Kind::invalid_input for another word.
ProgressMode parse_progress_mode(std::string_view word, const Output& out);

// Must not outlive `out` and `logger`; when it is destroyed everything has been written.
std::unique_ptr<Progress> make_progress(ProgressMode mode, Output& out, LogrusLogger& logger);

}  // namespace lade::common
