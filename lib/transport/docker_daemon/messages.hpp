// What a daemon answers, read with limits. Internal to docker_daemon/.
#pragma once

#include <optional>
#include <string>

#include "base/context.hpp"
#include "io/stream.hpp"
#include "spec/json.hpp"

namespace lade::transport::docker_daemon {

// JSON documents one after the other, as the daemon reports what it does.
class MessageStream {
 public:
  // `body` is not owned.
  explicit MessageStream(io::Reader& body) : body_(body) {}

  // nullopt at the end. Kind::invalid_input "parsing docker load progress: ..." for what is no JSON, for one
  // document of more than 1 MiB and for more than 64 MiB in all.
  std::optional<spec::Json> next();

 private:
  bool fill();
  std::optional<std::size_t> end_of_first() const;

  io::Reader& body_;
  std::string text_;
  std::uint64_t total_ = 0;
};

// The error that a message reports; nullopt for one that reports none.
std::optional<std::string> error_in(const spec::Json& message);

// The reason that the body of an answer other than 200 gives, in one line.
std::string reason_in(const std::string& body);

// Without line feeds and other control characters.
std::string in_one_line(std::string_view text);

}  // namespace lade::transport::docker_daemon
