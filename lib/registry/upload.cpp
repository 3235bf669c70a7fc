// Sending a blob: POST, PATCH, PUT (distribution-spec, "Pushing blobs").
#include <fmt/format.h>

#include <algorithm>

#include "registry/errors.hpp"
#include "registry/repository.hpp"
#include "registry/retry.hpp"
#include "registry/text.hpp"
#include "registry/upload_source.hpp"

namespace lade::registry {

namespace {

// A blob up to this size goes with the closing PUT: one request less.
constexpr std::uint64_t small_blob = 256 * 1024;
// A chunk is kept in memory so that it can be sent again.
constexpr std::uint64_t max_chunk = 32 * 1024 * 1024;
// After a 413: the first try, divided by 4 down to the last.
constexpr std::uint64_t first_automatic_chunk = 8 * 1024 * 1024;
constexpr std::uint64_t smallest_chunk = 128 * 1024;

// One upload session at the registry.
class Upload {
 public:
  Upload(const Context& context, const Repository& repository) : context_(context), repository_(repository) {
    in_context([&] { return "initiating layer upload in " + repository_.session->host(); }, [&] { begin(); });
  }

  enum class Outcome { done, too_large };
  // All of `source` in one request.
  Outcome stream(UploadSource& source);
  // In requests of at most `size` bytes, each sent again from where the registry got to when it fails.
  void chunked(UploadSource& source, std::uint64_t size);
  // Closes the upload; `data` are the bytes that were not sent before.
  void finish(const spec::Digest& digest, std::string_view data = {});
  // Tells the registry to forget it, which may fail without harm.
  void cancel() noexcept;

 private:
  void begin();
  void move_on(HttpResponse& response);
  void send_chunk(std::string_view data);
  void send_piece(std::string_view piece, Retry& retry);
  void ask_offset(std::uint64_t lowest, std::uint64_t highest);
  [[noreturn]] void refuse(HttpResponse& response) const;

  const Context& context_;
  const Repository& repository_;
  Url location_;
  std::uint64_t least_chunk_ = 0;
  std::uint64_t chunk_ = 0;
  std::uint64_t offset_ = 0;
};

void Upload::begin() {
  const auto response = repository_.session->send(context_, repository_.call("POST", "blobs", "uploads/"));
  if (!is_success(response->status())) throw response_error(*response);
  least_chunk_ = parse_number(trim(response->header("OCI-Chunk-Min-Length"))).value_or(0);
  location_ = repository_.session->location(*response);
  discard(*response);
}

// Registries may name another place after each request.
void Upload::move_on(HttpResponse& response) {
  if (!response.header("Location").empty()) location_ = repository_.session->location(response);
  discard(response);
}

// An upload the registry no longer knows can be started anew.
void Upload::refuse(HttpResponse& response) const {
  const RegistryError error = response_error(response);
  if (error.kind() != Kind::not_found) throw error;
  throw RegistryError(Kind::unavailable, error.message(), error.status(), error.entries());
}

Upload::Outcome Upload::stream(UploadSource& source) {
  Call call = repository_.call("PATCH", location_);
  call.headers.emplace_back("Content-Type", "application/octet-stream");
  call.body = &source;
  call.body_size = source.size();
  call.repeat = false;
  const auto response = repository_.session->send(context_, call);
  if (response->status() == 413) return Outcome::too_large;
  if (!is_success(response->status())) refuse(*response);
  move_on(*response);
  return Outcome::done;
}

void Upload::chunked(UploadSource& source, std::uint64_t size) {
  chunk_ = std::min(std::max({size, least_chunk_, std::uint64_t{1}}), max_chunk);
  std::string buffer(std::clamp(source.size().value_or(chunk_), std::uint64_t{1}, chunk_), '\0');
  std::size_t count;
  do {
    count = io::read_full(source, std::as_writable_bytes(std::span(buffer)));
    send_chunk(std::string_view(buffer).substr(0, count));
  } while (count == buffer.size());
}

void Upload::send_chunk(std::string_view data) {
  const std::uint64_t start = offset_, end = offset_ + data.size();
  Retry retry(context_);
  while (offset_ < end) {
    const std::uint64_t before = offset_;
    try {
      send_piece(data.substr(offset_ - start, chunk_), retry);
    } catch (const Error& error) {
      if (error.kind() != Kind::unavailable || !retry.wait()) throw;
      context_.log.debug(fmt::format("a chunk was not taken, asking how far it got: {}", error.what()));
      ask_offset(start, end);
    }
    if (offset_ > before) retry.reset();
  }
}

void Upload::send_piece(std::string_view piece, Retry& retry) {
  Call call = repository_.call("PATCH", location_);
  call.headers.emplace_back("Content-Type", "application/octet-stream");
  call.headers.emplace_back("Content-Range", fmt::format("{}-{}", offset_, offset_ + piece.size() - 1));
  call.data = piece;
  call.repeat = false;
  const auto response = repository_.session->send(context_, call);
  const int status = response->status();
  if (status == 413 && chunk_ > std::max(smallest_chunk, least_chunk_)) {
    chunk_ = std::max({chunk_ / 4, smallest_chunk, least_chunk_});
    return discard(*response);
  }
  if (is_temporary(status)) {
    retry.ask_for(requested_pause(*response, context_.clock));
    throw response_error(*response);
  }
  if (status == 416) throw Error(Kind::unavailable, "the registry is at another offset of the upload");
  if (!is_success(status)) refuse(*response);
  move_on(*response);
  offset_ += piece.size();
}

void Upload::ask_offset(std::uint64_t lowest, std::uint64_t highest) {
  const auto response = repository_.session->send(context_, repository_.call("GET", location_));
  if (!is_success(response->status())) refuse(*response);
  const std::string_view range = trim(response->header("Range"));
  const auto last = parse_number(range.substr(std::min(range.find('-'), range.size() - 1) + 1));
  if (range.empty() || !last)
    throw Error(Kind::integrity, "the registry does not say how far the upload got");
  // "0-0" is how registries say both "nothing" and "one byte".
  const std::uint64_t offset = *last == 0 ? 0 : *last + 1;
  if (offset < lowest || offset > highest) {
    throw Error(Kind::integrity, fmt::format("the registry lost a part of the upload: it is at byte {} of {}",
                                             offset, lowest));
  }
  move_on(*response);
  offset_ = offset;
}

void Upload::finish(const spec::Digest& digest, std::string_view data) {
  Url url = location_;
  url.target = with_parameter(url.target, "digest", digest.str());
  Call call = repository_.call("PUT", url);
  call.headers.emplace_back("Content-Type", "application/octet-stream");
  call.data = data;
  const auto response = repository_.session->send(context_, call);
  if (is_success(response->status())) return discard(*response);
  // The answer to an earlier try may have been lost on the way.
  if (response->status() == 404 && head_blob(context_, repository_, digest)) return;
  refuse(*response);
}

void Upload::cancel() noexcept {
  if (context_.stop.stop_requested()) return;
  try {
    Call call = repository_.call("DELETE", location_);
    call.repeat = false;
    discard(*repository_.session->send(context_, call));
  } catch (const std::exception& error) {  // the failure that led here is the one to report
    context_.log.debug(std::string("cancelling an upload: ") + error.what());
  }
}

[[noreturn]] void throw_too_large() {
  throw Error(
      Kind::unsupported,
      "StatusCode: 413: the registry, or a proxy before it, does not take so large a request, and the blob "
      "cannot be read again; smaller chunks may help (--dest-chunk-size)");
}

// How the blob is to be sent; changes when the registry answers 413.
struct Plan {
  std::optional<std::uint64_t> chunk_size;
};

spec::Digest send(Upload& upload, UploadSource& source, Plan& plan) {
  if (source.size() && *source.size() <= std::min(small_blob, plan.chunk_size.value_or(small_blob))) {
    const std::string data = io::read_all(source, small_blob, "blob");
    const spec::Digest digest = source.finish();
    upload.finish(digest, data);
    return digest;
  }
  if (plan.chunk_size) {
    upload.chunked(source, *plan.chunk_size);
  } else if (upload.stream(source) == Upload::Outcome::too_large) {
    if (!source.rewind()) throw_too_large();
    plan.chunk_size = first_automatic_chunk;
    upload.chunked(source, *plan.chunk_size);
  }
  const spec::Digest digest = source.finish();
  upload.finish(digest);
  return digest;
}

}  // namespace

spec::Digest put_blob(const Context& context, const Repository& repository,
                      const std::optional<spec::Digest>& digest, std::optional<std::uint64_t> size,
                      io::Reader& data, std::uint64_t& written) {
  UploadSource source(data, digest, size);
  Plan plan{repository.chunk_size};
  Retry retry(context);
  for (;;) {
    Upload upload(context, repository);
    try {
      const spec::Digest sent = send(upload, source, plan);
      written = source.count();
      return sent;
    } catch (Error& error) {
      const bool unreachable = error.kind() == Kind::unavailable && !source.failed();
      if (!unreachable) upload.cancel();
      if (!source.failed()) error.add_context("uploading a blob to " + repository.name());
      if (!unreachable || !source.rewind() || !retry.wait()) throw;
      context.log.debug(std::string("starting an upload over: ") + error.what());
      // What broke the connection may have been the size of the request.
      if (!plan.chunk_size) plan.chunk_size = first_automatic_chunk;
    }
  }
}

}  // namespace lade::registry
