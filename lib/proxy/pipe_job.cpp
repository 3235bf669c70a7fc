#include "proxy/pipe_job.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <tuple>

#include "proxy/waiting.hpp"

namespace lade::proxy {

namespace {

// The most an ordinary user gets; a smaller one does, too.
constexpr int wanted_pipe_size = 1024 * 1024;

class ReaderGone final : public Error {
 public:
  ReaderGone() : Error(Kind::system, "write: broken pipe") {}
};

// Writes into a pipe that does not block.
class PipeWriter final : public io::Writer {
 public:
  PipeWriter(const os::UniqueFd& pipe, const std::stop_token& stop) : pipe_(pipe), waker_(stop) {}
  void write(io::Bytes data) override {
    while (!data.empty()) {
      const auto written = ::write(pipe_.get(), data.data(), data.size());
      if (written >= 0)
        data = data.subspan(static_cast<std::size_t>(written));
      else if (errno == EAGAIN)
        waker_.wait(pipe_.get(), POLLOUT);
      else if (errno == EPIPE)
        throw ReaderGone();
      else if (errno != EINTR)
        throw Error::from_errno(errno, "write");
    }
  }

 private:
  const os::UniqueFd& pipe_;
  Waker waker_;
};

// {reader, writer}; writing does not block.
std::pair<os::UniqueFd, os::UniqueFd> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  std::pair<os::UniqueFd, os::UniqueFd> pipe{os::UniqueFd(ends[0]), os::UniqueFd(ends[1])};
  if (::fcntl(pipe.second.get(), F_SETFL, O_NONBLOCK) != 0) throw Error::from_errno(errno, "fcntl");
  ::fcntl(pipe.second.get(), F_SETPIPE_SZ, wanted_pipe_size);
  return pipe;
}

}  // namespace

Failure failure_of(const Error& error) {
  if (const auto* failed = dynamic_cast<const PipeFailed*>(&error)) return failed->failure();
  if (dynamic_cast<const ReaderGone*>(&error) != nullptr) return {"EPIPE", error.what()};
  return {error.kind() == Kind::unavailable ? "retryable" : "other", error.what()};
}

PipeJob::PipeJob(const Context& context, Work work, Errors errors) {
  std::tie(reader_, writer_) = make_pipe();
  if (errors == Errors::piped) std::tie(error_reader_, error_writer_) = make_pipe();
  outer_stop_.emplace(context.stop, [this] { stop_.request_stop(); });
  thread_ = std::thread([this, inner = context.with_stop(stop_.get_token()), work = std::move(work)] {
    run(inner, work);
    done_ = true;
  });
}

PipeJob::~PipeJob() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void PipeJob::run(const Context& context, const Work& work) {
  try {
    PipeWriter out(writer_, context.stop);
    work(context, out);
  } catch (const Error& error) {
    failure_ = failure_of(error);
  } catch (const Cancelled&) {
    failure_ = Failure{"other", "interrupted"};
  } catch (const std::exception& error) {
    failure_ = Failure{"other", error.what()};
  }
  if (!error_writer_.is_open()) return;
  tell(context);
  writer_.reset();
  error_writer_.reset();
}

void PipeJob::tell(const Context& context) {
  if (!failure_) return;
  try {
    const std::string text = spec::dump_json(failure_->to_json());
    PipeWriter(error_writer_, context.stop).write(io::as_bytes(text));
  } catch (const std::exception& error) {
    context.log.debug(std::string("telling the client of an error: ") + error.what());
  }
}

std::optional<Failure> PipeJob::finish() {
  if (thread_.joinable()) thread_.join();
  writer_.reset();
  return failure_;
}

}  // namespace lade::proxy
