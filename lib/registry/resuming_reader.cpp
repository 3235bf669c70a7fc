#include "registry/resuming_reader.hpp"

#include <fmt/format.h>

#include "io/readers.hpp"
#include "registry/errors.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

// Less than this between two breaks counts as no progress.
constexpr std::uint64_t resumed_progress = 1024 * 1024;
constexpr RetryPolicy resume_policy{.tries = 6, .first_pause = std::chrono::milliseconds(500)};

// "bytes 100-199/200": where the body starts.
std::optional<std::uint64_t> start_of_range(std::string_view content_range) {
  content_range = trim(content_range);
  if (!content_range.starts_with("bytes ")) return std::nullopt;
  const auto dash = content_range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return parse_number(trim(content_range.substr(6, dash - 6)));
}

void skip(io::Reader& reader, std::uint64_t count) {
  io::SectionReader section(reader, count);
  io::drain(section);
}

}  // namespace

ResumingReader::ResumingReader(const Context& context, std::string what, Open open)
    : context_(context),
      what_(std::move(what)),
      open_(std::move(open)),
      retry_(context_, resume_policy),
      response_(open_("")) {
  if (response_->status() != 200) {
    RegistryError error = response_error(*response_);
    error.add_context("fetching " + what_);
    throw error;
  }
  size_ = response_->content_length();
}

std::size_t ResumingReader::read(io::Buffer buffer) {
  for (;;) {
    try {
      if (!response_) resume();
      const std::size_t count = response_->body().read(buffer);
      offset_ += count;
      return count;
    } catch (Error& error) {
      if (error.kind() != Kind::unavailable) throw;
      response_.reset();
      context_.log.debug(fmt::format("{} broke off at byte {}: {}", what_, offset_, error.what()));
      if (offset_ - offset_of_last_break_ >= resumed_progress) retry_.reset();
      offset_of_last_break_ = offset_;
      if (retry_.wait()) continue;
      error.add_context(fmt::format("fetching {}, broken off at byte {}", what_, offset_));
      throw;
    }
  }
}

void ResumingReader::resume() {
  auto response = open_(fmt::format("bytes={}-", offset_));
  const int status = response->status();
  if (is_temporary(status)) throw response_error(*response);
  const bool rest = status == 206 && start_of_range(response->header("Content-Range")) == offset_;
  if (status != 200 && !rest) {
    throw Error(Kind::integrity,
                fmt::format("{} broke off at byte {} and the registry does not continue it: {}", what_,
                            offset_, status_line(status)));
  }
  if (status == 200) skip(response->body(), offset_);
  response_ = std::move(response);
}

}  // namespace lade::registry
