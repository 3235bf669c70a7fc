// The body of a response, pulled from its connection into the caller's buffer.
#pragma once

#include <functional>
#include <memory>

#include "registry/connection.hpp"
#include "registry/http_head.hpp"

namespace lade::registry {

// Owns the connection until the body has ended; then gives it back if it may be used again.
class BodyReader final : public io::Reader {
 public:
  using GiveBack = std::function<void(std::unique_ptr<Connection>)>;

  // `give_back` empty: the connection is closed at the end of the body.
  BodyReader(std::unique_ptr<Connection> connection, Framing framing, GiveBack give_back);
  // Gives the connection back if all of the body has arrived, read or not; else closes it.
  ~BodyReader() override;
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;

  // Kind::unavailable "unexpected EOF" when the connection ends inside the body; Kind::invalid_input for bad
  // chunks.
  std::size_t read(io::Buffer buffer) override;

 private:
  std::size_t read_length(io::Buffer buffer);
  std::size_t read_chunked(io::Buffer buffer);
  std::size_t read_until_close(io::Buffer buffer);
  bool begin_chunk();
  void skip_trailers();
  std::string take_line(std::size_t limit);
  void finish();

  std::unique_ptr<Connection> connection_;  // nullptr once the body has ended
  Framing framing_;
  GiveBack give_back_;
  std::uint64_t left_ = 0;  // of the body or the chunk
  bool in_chunk_ = false;
  std::uint64_t overhead_ = 0;  // bytes of framing beyond what chunks of decent size need
};

}  // namespace lade::registry
