#include "layer/apply.hpp"

#include <sched.h>
#include <sys/stat.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "base/sync.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "layer/chunks.hpp"
#include "layer/extractor.hpp"
#include "layer/replaced.hpp"
#include "os/file.hpp"

namespace lade::layer {

namespace {

// The mode at creation is the mode, if no umask gets in between: threads share one unless told otherwise.
bool take_own_umask() {
  if (::unshare(CLONE_FS) != 0) return false;
  ::umask(0);
  return true;
}

class Application {
 public:
  Application(const Context& context, const os::UniqueFd& directory, const ApplyOptions& options)
      : context_(context), directory_(directory), options_(options), replaced_(directory) {
    if (options_.tar_split == nullptr) return;
    spool_ = std::make_shared<const os::UniqueFd>(os::open_unnamed(directory));
    spool_writer_.emplace(os::duplicate(spool_->get()));
    splitter_.emplace(*spool_writer_);
  }

  AppliedLayer run(io::Reader& tar) {
    {
      const std::jthread extracting([this] { guard([this] { extract(); }); });
      const std::jthread hashing([this] { guard([this] { hash(); }); });
      guard([&] { fill(tar); });
    }
    if (const auto failure = *failure_.lock()) std::rethrow_exception(failure);
    if (options_.tar_split != nullptr) write_tar_split();
    return {digester_.finish(), size_, std::move(uids_), std::move(gids_)};
  }

 private:
  // The first failure ends the work of all three, and is the one that is thrown.
  void guard(const std::function<void()>& work) noexcept {
    try {
      work();
    } catch (const Abandoned&) {
    } catch (...) {
      {
        auto failure = failure_.lock();
        if (!*failure) *failure = std::current_exception();
      }
      for (ChunkQueue* queue : {&free_, &filled_, &extracted_}) queue->abandon();
    }
  }

  void fill(io::Reader& tar) {
    io::LimitedReader limited(tar, options_.max_size, "a layer");
    for (;;) {
      context_.throw_if_stopped();
      ChunkPtr chunk = take_free();
      chunk->size = io::read_full(limited, chunk->room());
      const bool ended = chunk->size < chunk_capacity;
      size_ += chunk->size;
      if (chunk->size > 0) filled_.push(std::move(chunk));
      if (ended) break;
    }
    filled_.close();
  }

  ChunkPtr take_free() {
    if (ChunkPtr chunk = free_.try_pop()) return chunk;
    if (made_ == max_chunks) return free_.pop();
    ++made_;
    return std::make_unique<Chunk>();
  }

  void extract() {
    ChunkReader input(filled_, extracted_);
    Extractor extractor(context_, directory_, options_, take_own_umask(), splitter_ ? &replaced_ : nullptr);
    extractor.run(input);
    input.finish();
    uids_ = extractor.uids.sorted();
    gids_ = extractor.gids.sorted();
  }

  void hash() {
    while (ChunkPtr chunk = extracted_.pop()) {
      digester_.update(chunk->data());
      if (splitter_) {
        for (auto& file : chunk->files) splitter_->announce(std::move(file));
        splitter_->feed(chunk->data());
      }
      chunk->files.clear();
      free_.push(std::move(chunk));
    }
    if (splitter_) splitter_->finish();
  }

  void write_tar_split() {
    const auto size = static_cast<std::uint64_t>(os::stat_of(*spool_).st_size);
    auto spooled = std::make_unique<os::RangeReader>(spool_, 0, size);
    if (replaced_.empty()) {
      io::copy(*spooled, *options_.tar_split);
    } else {
      replaced_.rewrite(std::move(spooled), *options_.tar_split);
    }
  }

  const Context& context_;
  const os::UniqueFd& directory_;
  const ApplyOptions& options_;
  ChunkQueue free_, filled_, extracted_;
  std::size_t made_ = 0;
  Sync<std::exception_ptr> failure_;

  // Of the unpacking thread.
  ReplacedContents replaced_;
  std::vector<std::uint32_t> uids_, gids_;

  // Of the hashing thread. The tar-split waits in a file: replaced contents may still change it.
  io::Digester digester_;
  std::shared_ptr<const os::UniqueFd> spool_;
  std::optional<os::FileWriter> spool_writer_;
  std::optional<archive::TarSplitter> splitter_;

  std::uint64_t size_ = 0;
};

}  // namespace

AppliedLayer apply(const Context& context, io::Reader& tar, const os::UniqueFd& directory,
                   const ApplyOptions& options) {
  return Application(context, directory, options).run(tar);
}

}  // namespace lade::layer
