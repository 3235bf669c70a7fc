// A large blob, or parts of a blob, fetched over several connections at once, in segments, and read in order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/context.hpp"
#include "io/byte_range.hpp"
#include "io/stream.hpp"
#include "registry/http.hpp"

namespace lade::registry {

// Bytes that all RangedReaders of the program may hold together beyond the one segment that each may always
// hold. Thread-safe; lives in the pool: pool.slot<RangeBudget>("range budget").
class RangeBudget {
 public:
  explicit RangeBudget(std::size_t bytes = 16 * 1024 * 1024) : left_(bytes) {}

 private:
  friend class RangedReader;
  // Guards the state of the readers, too: whoever waits for bytes waits for any of them.
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t left_;
  // Buffers of segments that were read, for the next ones: new memory costs more than the copy into it.
  std::vector<std::vector<std::byte>> spare_;
  unsigned readers_ = 0;  // the last one takes the spare buffers along
};

struct RangeOptions {
  unsigned connections = 4;
  std::size_t segment = 4 * 1024 * 1024;
  // More parts than these are asked for several at once; a server that knows no such requests answers with
  // the whole blob, of which some is under way before it is stopped.
  std::size_t few_parts = 32;
  // Where it is remembered that a server does so; nullptr: nowhere.
  std::shared_ptr<std::atomic<bool>> refuses_several{};
};

// Segments so large that `connections` of them fit the default budget, but not beyond 1 to 4 MiB.
RangeOptions range_options(unsigned connections);

// Not verified: the reader above checks the digest.
class RangedReader final : public io::Reader {
 public:
  // Sends the GET with the header "Range: <range>" and gives the response, whatever its status. Called by
  // several threads at once, each with a context that stops when the reader ends.
  using Fetch = std::function<std::unique_ptr<HttpResponse>(const Context&, const std::string& range)>;

  // Reads `parts`, one after the other (several in one request, where the server answers that), of a blob of
  // `size` bytes. nullptr if the server does not answer the request for the first segment with just that part
  // of just that blob. There is at least one part, none is empty or ends behind the blob. `what` names the
  // blob in errors.
  static std::unique_ptr<RangedReader> open(const Context& context, std::string what,
                                            std::shared_ptr<RangeBudget> budget, RangeOptions options,
                                            std::uint64_t size, std::vector<io::ByteRange> parts,
                                            Fetch fetch);
  ~RangedReader() override;

  // A segment that breaks off is resumed where it broke. Kind::unavailable when it does not get further,
  // Kind::integrity when the server changes its mind about size or ranges.
  std::size_t read(io::Buffer buffer) override;

 private:
  struct Segment {
    std::vector<io::ByteRange> parts;
    std::size_t size = 0;
    std::size_t filled = 0;
    bool charged = false;  // to the budget
    std::vector<std::byte> bytes;
  };

  RangedReader(const Context& context, std::string what, std::shared_ptr<RangeBudget> budget,
               RangeOptions options, std::uint64_t size, std::vector<io::ByteRange> parts, Fetch fetch);
  std::size_t next_size() const;
  static std::vector<io::ByteRange> rest_of(const Segment& segment);
  void start_workers(Segment* segment, std::unique_ptr<HttpResponse> first);
  void work(Segment* segment, std::unique_ptr<HttpResponse> response);
  Segment* claim();
  void fill(Segment& segment, std::unique_ptr<HttpResponse> response);
  bool fill_from(Segment& segment, HttpResponse& response);
  void fill_part(Segment& segment, std::uint64_t size, io::Reader& body);
  bool is_answer(const HttpResponse& response, const std::vector<io::ByteRange>& parts) const;
  std::unique_ptr<HttpResponse> request(const Context& context, std::vector<io::ByteRange> parts);
  void ask_for_one_at_a_time();
  void fail(std::exception_ptr failure);
  void release_front();

  Context outer_;
  std::string what_;
  std::shared_ptr<RangeBudget> budget_;
  RangeOptions options_;
  Fetch fetch_;
  std::uint64_t size_;
  std::atomic<bool> several_parts_;  // in one answer: as long as the server does so

  // Guarded by budget_->mutex_.
  std::deque<std::unique_ptr<Segment>> segments_;  // claimed and not yet read, in order
  std::deque<io::ByteRange> unclaimed_;
  bool free_claim_used_ = false;
  std::exception_ptr failure_;
  std::condition_variable_any arrived_;

  std::size_t position_ = 0;  // in the front segment; of the reading thread alone
  std::stop_source stop_;
  std::optional<std::stop_callback<std::function<void()>>> outer_stop_;
  std::vector<std::thread> workers_;
};

}  // namespace lade::registry
