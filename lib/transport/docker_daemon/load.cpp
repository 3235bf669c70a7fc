#include "transport/docker_daemon/load.hpp"

namespace lade::transport::docker_daemon {

Load::Load(const Context& context, std::shared_ptr<const Client> client)
    : context_(context), client_(std::move(client)) {
  with_caller_.emplace(context.stop, [this] { stop_.request_stop(); });
  pipe_.stop_reading_with(stop_.get_token());
}

Load::~Load() {
  if (!thread_.joinable()) return;
  stop_.request_stop();
  thread_.join();
}

void Load::run() noexcept {
  try {
    client_->load(context_.with_stop(stop_.get_token()), pipe_);
  } catch (...) {
    failure_ = std::current_exception();
  }
  pipe_.hang_up();
}

void Load::fail() {
  if (thread_.joinable()) thread_.join();
  context_.throw_if_stopped();
  if (failure_) std::rethrow_exception(failure_);
  throw Error(Kind::system, "the docker daemon answered before it had the whole image");
}

void Load::write(io::Bytes data) {
  if (!thread_.joinable() && !pipe_.hung_up()) thread_ = std::thread([this] { run(); });
  try {
    pipe_.write(data);
  } catch (const Error&) {
    fail();
  }
}

void Load::finish() {
  pipe_.finish();
  if (thread_.joinable()) thread_.join();
  if (failure_) fail();
}

}  // namespace lade::transport::docker_daemon
