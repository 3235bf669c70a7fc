// Another program run to its end with text in and text out.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"

namespace lade::os {

struct ChildOptions {
  // argv; the first is looked up in PATH of `environment` (find_program). No shell is involved.
  std::vector<std::string> arguments{};
  std::string input{};  // the child's stdin, then its end
  // NAME=value; nullopt: this process's own.
  std::optional<std::vector<std::string>> environment{};
  std::chrono::milliseconds timeout{60'000};
  std::size_t output_limit = 1 << 20;  // for stdout and stderr each
};

struct ChildResult {
  int status = 0;  // exit status; 128 + N if signal N ended it
  std::string out, err;
};

// The program as a shell finds it: a name with '/' as it is, others in `path` ("dir:dir"; empty parts, which
// would mean the current directory, are skipped). nullopt if there is none that may be executed.
std::optional<std::string> find_program(const std::string& name, std::string_view path);

// Runs it to its end. The child is killed (SIGKILL) and reaped before any error leaves.
// Kind::not_found if there is no such program; Kind::unavailable on timeout; Kind::invalid_input when it
// writes more than the limit; Cancelled when the context is stopped. Any exit status is a result, not an
// error.
ChildResult run_child(const Context& context, const ChildOptions& options);

}  // namespace lade::os
