// Bytes that are written into a pipe by a thread of their own, while the other side reads them.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/context.hpp"
#include "io/stream.hpp"
#include "os/unique_fd.hpp"
#include "spec/json.hpp"

namespace lade::proxy {

// How a request or a transfer failed, as the protocol tells it.
struct Failure {
  std::string code;  // "EPIPE": the reader went away, "retryable", "other"
  std::string message;
  spec::Json to_json() const { return {{"code", code}, {"message", message}}; }
};
// An error that is told as this.
class PipeFailed final : public Error {
 public:
  explicit PipeFailed(Failure failure) : Error(Kind::system, failure.message), failure_(std::move(failure)) {}
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

Failure failure_of(const Error& error);

class PipeJob {
 public:
  // What is written: into `out`, until it is done or throws.
  using Work = std::function<void(const Context& context, io::Writer& out)>;
  enum class Errors { kept, piped };

  // Starts at once. Errors::piped: failures are written, as JSON, into a second pipe, and both are closed at
  // the end; Errors::kept: the pipe stays open until finish().
  PipeJob(const Context& context, Work work, Errors errors);
  // Stops it.
  ~PipeJob();
  PipeJob(const PipeJob&) = delete;
  PipeJob& operator=(const PipeJob&) = delete;

  // The ends to read from; call once. The second one is not open unless errors are piped.
  std::pair<os::UniqueFd, os::UniqueFd> take_readers() {
    return {std::move(reader_), std::move(error_reader_)};
  }
  bool is_done() const { return done_; }
  // Waits for its end and closes the pipe; how it failed, if it did.
  std::optional<Failure> finish();

 private:
  void run(const Context& context, const Work& work);
  void tell(const Context& context);

  os::UniqueFd reader_, writer_, error_reader_, error_writer_;
  std::optional<Failure> failure_;  // after the thread has ended
  std::atomic<bool> done_ = false;
  std::stop_source stop_;
  std::optional<std::stop_callback<std::function<void()>>> outer_stop_;
  std::thread thread_;
};

}  // namespace lade::proxy
