#include "io/codec/gzip_compressor.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace lade::io {

namespace {

constexpr std::size_t member_input = 1024 * 1024;

using Block = std::vector<std::byte>;

// One thread's encoder.
class MemberEncoder {
 public:
  explicit MemberEncoder(int level) : compressor_(libdeflate_alloc_compressor(level)) {
    if (!compressor_) throw std::bad_alloc();
    scratch_.resize(libdeflate_gzip_compress_bound(compressor_.get(), member_input));
  }

  Block encode(Bytes input) {
    const Bytes member = compress(input);
    return Block(member.begin(), member.end());
  }

  // Valid until the next call.
  Bytes compress(Bytes input) {
    return Bytes(scratch_).first(libdeflate_gzip_compress(compressor_.get(), input.data(), input.size(),
                                                          scratch_.data(), scratch_.size()));
  }

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  Block scratch_;
};

// Encodes blocks on several threads and gives the members back in the order of the blocks.
class EncoderPool {
 public:
  EncoderPool(int level, unsigned threads) : level_(level) {
    workers_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      workers_.emplace_back([this](std::stop_token stop) { work(stop); });
    }
  }

  void push(Block input) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back({std::move(input), {}, nullptr, State::waiting});
    }
    changed_.notify_all();
  }

  std::size_t pending() const { return jobs_.size(); }

  // Waits for the oldest block. Its input buffer is handed back for reuse.
  Block pop(Block& reusable) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return jobs_.front().state == State::done; });
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job.failure) std::rethrow_exception(job.failure);
    reusable = std::move(job.input);
    return std::move(job.output);
  }

 private:
  enum class State { waiting, running, done };
  struct Job {
    Block input, output;
    std::exception_ptr failure;
    State state;
  };

  // A deque keeps references valid while others are added and removed at its ends.
  Job* take(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    Job* found = nullptr;
    changed_.wait(lock, stop, [&] { return (found = find_waiting()) != nullptr; });
    if (stop.stop_requested()) return nullptr;
    found->state = State::running;
    return found;
  }

  Job* find_waiting() {
    const auto job =
        std::find_if(jobs_.begin(), jobs_.end(), [](const Job& one) { return one.state == State::waiting; });
    return job == jobs_.end() ? nullptr : &*job;
  }

  void work(std::stop_token stop) noexcept {
    std::unique_ptr<MemberEncoder> encoder;
    while (Job* job = take(stop)) {
      try {
        if (!encoder) encoder = std::make_unique<MemberEncoder>(level_);
        job->output = encoder->encode(job->input);
      } catch (...) {
        job->failure = std::current_exception();
      }
      {
        std::lock_guard lock(mutex_);
        job->state = State::done;
      }
      changed_.notify_all();
    }
  }

  int level_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  std::vector<std::jthread> workers_;  // last: stopped and joined before the rest goes
};

class GzipCompressor final : public Reader {
 public:
  GzipCompressor(std::unique_ptr<Reader> inner, int level, unsigned threads)
      : inner_(std::move(inner)), level_(level), threads_(threads) {}

  std::size_t read(Buffer buffer) override {
    if (position_ == member_.size() && !next_member()) return 0;
    const std::size_t count = std::min(buffer.size(), member_.size() - position_);
    std::memcpy(buffer.data(), member_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  bool next_member() {
    position_ = 0;
    const bool first = !std::exchange(begun_, true);
    if (threads_ > 1) return next_from_pool(first);
    return next_inline(first);
  }

  // Empty input still makes one (empty) member.
  bool next_inline(bool first) {
    Block& block = spare_;
    if (!read_block(block) && !first) return false;
    if (!encoder_) encoder_ = std::make_unique<MemberEncoder>(level_);
    member_ = encoder_->encode(block);
    return true;
  }

  bool next_from_pool(bool first) {
    if (first) {
      Block block;
      read_block(block);
      if (ended_) {
        member_ = MemberEncoder(level_).encode(block);
        return true;
      }
      pool_ = std::make_unique<EncoderPool>(level_, threads_);
      pool_->push(std::move(block));
    }
    if (!pool_) return false;
    while (!ended_ && pool_->pending() < threads_ + 1) {
      Block block = std::move(spare_);
      if (read_block(block)) pool_->push(std::move(block));
    }
    if (pool_->pending() == 0) return false;
    member_ = pool_->pop(spare_);
    return true;
  }

  // False when there was no more input.
  bool read_block(Block& block) {
    if (ended_) return false;
    block.resize(member_input);
    block.resize(read_full(*inner_, block));
    ended_ = block.size() < member_input;
    return !block.empty();
  }

  std::unique_ptr<Reader> inner_;
  int level_;
  unsigned threads_;
  bool begun_ = false;
  bool ended_ = false;
  Block spare_;   // an input buffer for reuse
  Block member_;  // being handed out
  std::size_t position_ = 0;
  std::unique_ptr<MemberEncoder> encoder_;
  std::unique_ptr<EncoderPool> pool_;
};

}  // namespace

struct GzipWriter::Impl {
  Impl(Writer& target, int level) : out(target), encoder(level) { block.reserve(member_input); }

  void flush() {
    out.write(encoder.compress(block));
    block.clear();
    begun = true;
  }

  Writer& out;
  MemberEncoder encoder;
  Block block;
  bool begun = false;
};

GzipWriter::GzipWriter(Writer& out, int level) : impl_(std::make_unique<Impl>(out, level)) {}
GzipWriter::~GzipWriter() = default;

void GzipWriter::write(Bytes data) {
  while (!data.empty()) {
    const Bytes part = data.first(std::min(data.size(), member_input - impl_->block.size()));
    impl_->block.insert(impl_->block.end(), part.begin(), part.end());
    data = data.subspan(part.size());
    if (impl_->block.size() == member_input) impl_->flush();
  }
}

void GzipWriter::finish() {
  if (!impl_->block.empty() || !impl_->begun) impl_->flush();
}

std::unique_ptr<Reader> make_gzip_compressor(std::unique_ptr<Reader> inner, int level, unsigned threads) {
  return std::make_unique<GzipCompressor>(std::move(inner), level, threads);
}

}  // namespace lade::io
