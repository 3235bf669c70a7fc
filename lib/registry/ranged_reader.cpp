#include "registry/ranged_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "registry/errors.hpp"
#include "registry/multipart_ranges.hpp"
#include "registry/retry.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

// Less than this between two breaks counts as no progress.
constexpr std::size_t progress = 256 * 1024;
constexpr RetryPolicy policy{.tries = 6, .first_pause = std::chrono::milliseconds(500)};

// What one request asks for: servers have limits, too.
constexpr std::size_t max_parts = 64;

// The parts of the next segment, taken off the front.
std::vector<io::ByteRange> take_parts(std::deque<io::ByteRange>& from, std::size_t size) {
  std::vector<io::ByteRange> parts;
  for (std::uint64_t left = size; left > 0 && !from.empty() && parts.size() < max_parts;) {
    auto& front = from.front();
    const auto taken = std::min(left, front.size);
    parts.push_back({front.offset, taken});
    front = {front.offset + taken, front.size - taken};
    left -= taken;
    if (front.size == 0) from.pop_front();
  }
  return parts;
}

std::size_t total_of(const std::vector<io::ByteRange>& parts) {
  std::uint64_t sum = 0;
  for (const auto& part : parts) sum += part.size;
  return static_cast<std::size_t>(sum);
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
  std::unique_ptr<RangedReader> reader(new RangedReader(context, std::move(what), std::move(budget), options,
                                                        size, std::move(parts), std::move(fetch)));
  Segment* const segment = reader->claim();
  const std::vector<io::ByteRange> one{segment->parts.front()};
  std::unique_ptr<HttpResponse> first;
  if (reader->several_parts_ && segment->parts.size() > 1) {
    first = reader->fetch_(context, range_header(segment->parts));
    if (!reader->is_answer(*first, segment->parts)) {
      first.reset();
      reader->ask_for_one_at_a_time();
    }
  }
  if (!first) {
    first = reader->fetch_(context, range_header(one));
    if (!reader->is_answer(*first, one)) return nullptr;
  }
  reader->start_workers(segment, std::move(first));
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
      several_parts_(parts.size() > options.few_parts &&
                     (!options.refuses_several || !*options.refuses_several)),
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

void RangedReader::start_workers(Segment* segment, std::unique_ptr<HttpResponse> first) {
  outer_stop_.emplace(outer_.stop, [this] { stop_.request_stop(); });
  std::uint64_t count = 1;  // the one that is under way
  for (auto rest = unclaimed_; !rest.empty(); ++count) take_parts(rest, options_.segment);
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

std::size_t RangedReader::next_size() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < std::min(max_parts, unclaimed_.size()) && sum < options_.segment; ++i)
    sum += unclaimed_[i].size;
  return static_cast<std::size_t>(std::min<std::uint64_t>(sum, options_.segment));
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
  segment->parts = take_parts(unclaimed_, options_.segment);
  segment->size = total_of(segment->parts);
  segment->charged = free_claim_used_;
  if (!budget_->spare_.empty()) {
    segment->bytes = std::move(budget_->spare_.back());
    budget_->spare_.pop_back();
  }
  if (segment->charged) budget_->left_ -= segment->size;
  free_claim_used_ = true;
  return segments_.emplace_back(std::move(segment)).get();
}

// Of an unfinished segment: what has not arrived.
std::vector<io::ByteRange> RangedReader::rest_of(const Segment& segment) {
  std::vector<io::ByteRange> rest;
  std::uint64_t arrived = segment.filled;
  for (const auto& part : segment.parts) {
    const auto done = std::min(arrived, part.size);
    arrived -= done;
    if (done < part.size) rest.push_back({part.offset + done, part.size - done});
  }
  return rest;
}

void RangedReader::fill(Segment& segment, std::unique_ptr<HttpResponse> response) {
  const Context context = outer_.with_stop(stop_.get_token());
  Retry retry(context, policy);
  const std::uint64_t begin = segment.parts.front().offset, end = segment.parts.back().end();
  segment.bytes.resize(std::max(segment.bytes.size(), segment.size));
  while (true) {
    const std::size_t filled = segment.filled;
    const auto rest = rest_of(segment);
    const bool several = several_parts_ && rest.size() > 1;
    try {
      if (!response) response = request(context, rest);
      if (fill_from(segment, *response)) return;
      response.reset();
    } catch (Error& error) {
      response.reset();
      if (segment.filled - filled >= progress) retry.reset();
      const auto at = rest_of(segment).front().offset;
      context.log.debug(fmt::format("{} broke off at byte {}: {}", what_, at, error.what()));
      if (several && error.kind() == Kind::unsupported) {
        ask_for_one_at_a_time();
        continue;
      }
      if (error.kind() == Kind::unavailable && retry.wait()) continue;
      error.add_context(fmt::format("fetching bytes {}-{} of {}", begin, end - 1, what_));
      throw;
    }
  }
}

// True when the segment is complete; it must not be looked at then: the reading thread may have released it.
bool RangedReader::fill_from(Segment& segment, HttpResponse& response) {
  const auto rest = rest_of(segment);
  const auto boundary = byteranges_boundary(response.header("Content-Type"));
  if (rest.size() == 1 || !boundary) {
    fill_part(segment, rest.front().size, response.body());
    return rest.size() == 1;
  }
  MultipartRanges parts(response.body(), *boundary, size_);
  for (const auto& part : rest) {
    parts.begin(part);
    fill_part(segment, part.size, parts);
  }
  parts.finish();
  return true;
}

void RangedReader::fill_part(Segment& segment, std::uint64_t size, io::Reader& body) {
  io::Buffer rest = io::Buffer(segment.bytes).subspan(segment.filled, static_cast<std::size_t>(size));
  for (std::size_t filled = segment.filled; !rest.empty();) {
    const std::size_t count = body.read(rest.first(std::min(rest.size(), io::chunk_size)));
    if (count == 0) throw Error(Kind::unavailable, "unexpected EOF");
    rest = rest.subspan(count);
    filled += count;
    const std::lock_guard lock(budget_->mutex_);
    segment.filled = filled;
    if (segments_.front().get() == &segment) arrived_.notify_one();
  }
}

void RangedReader::ask_for_one_at_a_time() {
  several_parts_ = false;
  if (options_.refuses_several) *options_.refuses_several = true;
}

bool RangedReader::is_answer(const HttpResponse& response, const std::vector<io::ByteRange>& parts) const {
  if (response.status() != 206) return false;
  if (parts.size() > 1) return byteranges_boundary(response.header("Content-Type")).has_value();
  return is_content_range(response.header("Content-Range"), parts.front(), size_);
}

// Of the first part alone where the server does not answer several at once.
std::unique_ptr<HttpResponse> RangedReader::request(const Context& context,
                                                    std::vector<io::ByteRange> parts) {
  if (!several_parts_) parts.resize(1);
  auto response = fetch_(context, range_header(parts));
  if (is_temporary(response->status())) throw response_error(*response);
  if (is_answer(*response, parts)) return response;
  throw Error(parts.size() > 1 ? Kind::unsupported : Kind::integrity,
              "the registry answered a request for a range with " + status_line(response->status()) + " " +
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
