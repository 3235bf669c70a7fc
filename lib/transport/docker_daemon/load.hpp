// An archive on its way to the daemon while it is still being written. Internal to docker_daemon/.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/context.hpp"
#include "io/pipe.hpp"
#include "transport/docker_daemon/client.hpp"

namespace lade::transport::docker_daemon {

// Used by one thread at a time. Destroyed before finish(), the request is broken off in its middle: the
// daemon sees no end and takes nothing.
class Load final : public io::Writer {
 public:
  Load(const Context& context, std::shared_ptr<const Client> client);
  ~Load() override;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // The request begins with the first bytes. Throws what ended it.
  void write(io::Bytes data) override;
  // Waits for the daemon's verdict.
  void finish();

 private:
  void run() noexcept;
  [[noreturn]] void fail();

  Context context_;
  std::shared_ptr<const Client> client_;
  io::Pipe pipe_;
  std::stop_source stop_;
  std::optional<std::stop_callback<std::function<void()>>> with_caller_;
  std::exception_ptr failure_;  // of the thread; read when it has ended
  std::thread thread_;
};

}  // namespace lade::transport::docker_daemon
