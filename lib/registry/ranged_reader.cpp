#include "registry/ranged_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "registry/errors.hpp"
#include "registry/retry.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

// Less than this between two breaks counts as no progress.
constexpr std::size_t progress = 256 * 1024;
constexpr RetryPolicy policy{.tries = 6, .first_pause = std::chrono::milliseconds(500)};

struct ContentRange {
  std::uint64_t first = 0, last = 0, total = 0;
  bool operator==(const ContentRange&) const = default;
};

// RFC 9110 section 14.4: "bytes 0-99/1234".
std::optional<ContentRange> parse_content_range(std::string_view text) {
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == text.npos || slash == text.npos || dash > slash) {
    return std::nullopt;
  }
  const auto first = parse_number(trim(text.substr(6, dash - 6)));
  const auto last = parse_number(trim(text.substr(dash + 1, slash - dash - 1)));
  const auto total = parse_number(trim(text.substr(slash + 1)));
  if (!first || !last || !total || *last < *first || *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, *total};
}

// [offset, end)
std::string range_header(std::uint64_t offset, std::uint64_t end) {
  return fmt::format("bytes={}-{}", offset, end - 1);
}

}  // namespace

RangeOptions range_options(unsigned connections) {
  constexpr std::size_t mebibyte = 1024 * 1024;
  const std::size_t share = 16 * mebibyte / std::max(connections, 1U);
  return {.connections = std::max(connections, 1U), .segment = std::clamp(share, mebibyte, 4 * mebibyte)};
}

std::unique_ptr<RangedReader> RangedReader::open(const Context& context, std::string what,
                                                 std::shared_ptr<RangeBudget> budget, RangeOptions options,
                                                 std::uint64_t size, std::vector<io::ByteRange> parts,
                                                 Fetch fetch) {
  const std::uint64_t offset = parts.front().offset;
  const std::uint64_t end = std::min(offset + options.segment, parts.front().end());
  auto first = fetch(context, range_header(offset, end));
  const auto range = parse_content_range(first->header("Content-Range"));
  if (first->status() != 206 || range != ContentRange{offset, end - 1, size}) return nullptr;
  std::unique_ptr<RangedReader> reader(new RangedReader(context, std::move(what), std::move(budget), options,
                                                        size, std::move(parts), std::move(fetch)));
  reader->start_workers(std::move(first));
  return reader;
}

RangedReader::RangedReader(const Context& context, std::string what, std::shared_ptr<RangeBudget> budget,
                           RangeOptions options, std::uint64_t size, std::vector<io::ByteRange> parts,
                           Fetch fetch)
    : outer_(context),
      what_(std::move(what)),
      budget_(std::move(budget)),
      options_(options),
      fetch_(std::move(fetch)),
      size_(size),
      unclaimed_(parts.begin(), parts.end()) {}

RangedReader::~RangedReader() {
  stop_.request_stop();
  for (std::thread& worker : workers_) worker.join();
  const std::lock_guard lock(budget_->mutex_);
  while (!segments_.empty()) release_front();
  if (!workers_.empty() && --budget_->readers_ == 0) budget_->spare_.clear();
}

std::size_t RangedReader::read(io::Buffer buffer) {
  std::unique_lock lock(budget_->mutex_);
  const auto ready = [&] {
    return failure_ || (segments_.empty() ? unclaimed_.empty() : segments_.front()->filled > position_);
  };
  arrived_.wait(lock, outer_.stop, ready);
  outer_.throw_if_stopped();
  if (failure_) std::rethrow_exception(failure_);
  if (segments_.empty()) return 0;
  Segment& front = *segments_.front();
  const std::size_t count = std::min(buffer.size(), front.filled - position_);
  lock.unlock();  // bytes below `filled` are not touched any more
  std::memcpy(buffer.data(), front.bytes.data() + position_, count);
  position_ += count;
  if (position_ < front.size) return count;
  lock.lock();
  release_front();
  position_ = 0;
  return count;
}

void RangedReader::release_front() {
  Segment& front = *segments_.front();
  if (!front.bytes.empty()) budget_->spare_.push_back(std::move(front.bytes));
  if (front.charged) {
    budget_->left_ += front.size;
  } else {
    free_claim_used_ = false;
  }
  segments_.pop_front();
  budget_->freed_.notify_all();
}

void RangedReader::start_workers(std::unique_ptr<HttpResponse> first) {
  outer_stop_.emplace(outer_.stop, [this] { stop_.request_stop(); });
  std::uint64_t count = 0;
  for (const auto& part : unclaimed_) count += (part.size + options_.segment - 1) / options_.segment;
  Segment* segment = claim();  // of the response that is there already
  const auto workers = std::min<std::uint64_t>(options_.connections, count);
  while (workers_.size() < workers) {
    try {
      workers_.emplace_back(
          [this, segment, response = std::move(first)]() mutable { work(segment, std::move(response)); });
    } catch (const std::system_error&) {  // no more threads to be had: fewer will do
      if (workers_.empty()) throw;
      break;
    }
    segment = nullptr;
  }
  const std::lock_guard lock(budget_->mutex_);
  ++budget_->readers_;
}

void RangedReader::work(Segment* segment, std::unique_ptr<HttpResponse> response) {
  try {
    if (segment == nullptr) segment = claim();
    for (; segment != nullptr; segment = claim()) fill(*segment, std::move(response));
  } catch (...) {  // the end of a thread: the reading one rethrows it
    fail(std::current_exception());
  }
}

std::uint64_t RangedReader::next_size() const {
  return std::min<std::uint64_t>(options_.segment, unclaimed_.front().size);
}

// nullptr when there is no more to do. Claims are made in order, so that what is read next is always under
// way.
RangedReader::Segment* RangedReader::claim() {
  std::unique_lock lock(budget_->mutex_);
  const auto ready = [&] {
    if (unclaimed_.empty() || failure_) return true;
    return segments_.size() <= options_.connections && (!free_claim_used_ || budget_->left_ >= next_size());
  };
  if (!budget_->freed_.wait(lock, stop_.get_token(), ready) || unclaimed_.empty() || failure_) return nullptr;
  auto segment = std::make_unique<Segment>();
  segment->offset = unclaimed_.front().offset;
  segment->size = next_size();
  segment->charged = free_claim_used_;
  if (!budget_->spare_.empty()) {
    segment->bytes = std::move(budget_->spare_.back());
    budget_->spare_.pop_back();
  }
  if (segment->charged) budget_->left_ -= segment->size;
  free_claim_used_ = true;
  auto& part = unclaimed_.front();
  part = {part.offset + segment->size, part.size - segment->size};
  if (part.size == 0) unclaimed_.pop_front();
  return segments_.emplace_back(std::move(segment)).get();
}

void RangedReader::fill(Segment& segment, std::unique_ptr<HttpResponse> response) {
  const Context context = outer_.with_stop(stop_.get_token());
  Retry retry(context, policy);
  const std::uint64_t end = segment.offset + segment.size;
  segment.bytes.resize(std::max(segment.bytes.size(), segment.size));
  while (true) {
    const std::size_t filled = segment.filled;
    try {
      if (!response) response = request(context, segment.offset + filled, end);
      return fill_from(segment, *response);
    } catch (Error& error) {
      response.reset();
      if (segment.filled - filled >= progress) retry.reset();
      context.log.debug(
          fmt::format("{} broke off at byte {}: {}", what_, segment.offset + segment.filled, error.what()));
      if (error.kind() == Kind::unavailable && retry.wait()) continue;
      error.add_context(fmt::format("fetching bytes {}-{} of {}", segment.offset, end - 1, what_));
      throw;
    }
  }
}

// Does not look at the segment after its last byte: the reading thread may have released it.
void RangedReader::fill_from(Segment& segment, HttpResponse& response) {
  const io::Buffer bytes = io::Buffer(segment.bytes).first(segment.size);
  for (std::size_t filled = segment.filled; filled < bytes.size();) {
    const io::Buffer rest = bytes.subspan(filled);
    const std::size_t count = response.body().read(rest.first(std::min(rest.size(), io::chunk_size)));
    if (count == 0) throw Error(Kind::unavailable, "unexpected EOF");
    filled += count;
    const std::lock_guard lock(budget_->mutex_);
    segment.filled = filled;
    if (segments_.front().get() == &segment) arrived_.notify_one();
  }
}

std::unique_ptr<HttpResponse> RangedReader::request(const Context& context, std::uint64_t offset,
                                                    std::uint64_t end) {
  auto response = fetch_(context, range_header(offset, end));
  if (is_temporary(response->status())) throw response_error(*response);
  const auto range = parse_content_range(response->header("Content-Range"));
  if (response->status() == 206 && range == ContentRange{offset, end - 1, size_}) return response;
  throw Error(Kind::integrity, "the registry answered a request for a range with " +
                                   status_line(response->status()) + " " +
                                   quote(response->header("Content-Range")));
}

void RangedReader::fail(std::exception_ptr failure) {
  {
    const std::lock_guard lock(budget_->mutex_);
    if (!failure_) failure_ = std::move(failure);
    arrived_.notify_one();
  }
  stop_.request_stop();
}

}  // namespace lade::registry
