// The body of a blob that survives broken connections.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/context.hpp"
#include "io/stream.hpp"
#include "registry/http.hpp"
#include "registry/retry.hpp"

namespace lade::registry {

// Reads a response's body; when the connection breaks, asks for the rest with a Range header and goes on.
// Gives up after a few tries in a row that brought less than 1 MiB.
class ResumingReader final : public io::Reader {
 public:
  // Sends the request again with "Range: bytes=<offset>-"; "" for the whole blob.
  using Open = std::function<std::unique_ptr<HttpResponse>(const std::string& range)>;

  // Kind::unavailable, not_found, denied as the first response says; `what` names the blob in errors.
  ResumingReader(const Context& context, std::string what, Open open);
  std::size_t read(io::Buffer buffer) override;

  // What the first response said; nullopt if it did not.
  std::optional<std::uint64_t> size() const { return size_; }

 private:
  // Kind::integrity when the registry has another answer than the rest of the blob.
  void resume();

  Context context_;
  std::string what_;
  Open open_;
  Retry retry_;
  std::unique_ptr<HttpResponse> response_;
  std::optional<std::uint64_t> size_;
  std::uint64_t offset_ = 0;
  std::uint64_t offset_of_last_break_ = 0;
};

}  // namespace lade::registry
