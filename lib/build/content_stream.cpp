#include "build/content_stream.hpp"

#include <algorithm>

#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "io/writers.hpp"

namespace lade::build {

namespace {

void append_header(std::string& text, const archive::TarHeader& header) {
  io::TextAppender buffer(text);
  archive::TarWriter(buffer).begin(header);
}

}  // namespace

void ContentDigests::end_part() {
  if (!open_) return;
  std::string end(padding_, '\0');
  io::TextAppender buffer(end);
  archive::TarWriter(buffer).finish();
  open_->update(io::as_bytes(end));
  parts_.push_back({kind_, open_->finish().hex()});
  open_.reset();
}

void ContentDigests::begin(const std::string& kind) {
  end_part();
  open_.emplace();
  kind_ = kind;
  padding_ = 0;
}

void ContentDigests::add(const archive::TarHeader& header) {
  if (!open_) begin("");
  archive::TarHeader timeless = header;
  timeless.mtime = {};
  timeless.atime.reset();
  timeless.ctime.reset();
  std::string text(padding_, '\0');
  append_header(text, timeless);
  open_->update(io::as_bytes(text));
  padding_ = archive::tar_padding(header.size);
}

void ContentDigests::content(io::Bytes data) {
  open_->update(data);
}

ContentDigests::Summary ContentDigests::finish() {
  end_part();
  if (parts_.empty()) return {};
  if (parts_.size() == 1) return {parts_[0].kind, parts_[0].hex};
  std::string all;
  for (const Part& part : parts_) {
    if (!all.empty()) all += ',';
    all.append(part.kind).append(part.kind.empty() ? "" : ":").append(part.hex);
  }
  return {"multi", io::digest_of(all).hex()};
}

bool ContentStream::advance() {
  pending_.clear();
  position_ = 0;
  if (ended_) return false;
  pending_.append(archive::tar_padding(entry_.header.size), '\0');
  if (auto next = next_()) {
    entry_ = std::move(*next);
    left_ = entry_.content ? entry_.header.size : 0;
    if (digests_ != nullptr) digests_->add(entry_.header);
    append_header(pending_, entry_.header);
    return true;
  }
  ended_ = true;
  io::TextAppender buffer(pending_);
  archive::TarWriter(buffer).finish();
  return true;
}

std::size_t ContentStream::read(io::Buffer buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const auto rest = buffer.subspan(total);
    if (position_ < pending_.size()) {
      const auto bytes = io::as_bytes(pending_).subspan(position_);
      const auto part = bytes.first(std::min(bytes.size(), rest.size()));
      std::copy(part.begin(), part.end(), rest.begin());
      position_ += part.size();
      total += part.size();
    } else if (left_ > 0) {
      const auto wanted = rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), left_)));
      const std::size_t count = entry_.content->read(wanted);
      if (count == 0)
        throw Error(Kind::integrity,
                    "the file " + entry_.header.name + " has become shorter while it was read");
      if (digests_ != nullptr) digests_->content(wanted.first(count));
      left_ -= count;
      total += count;
    } else if (!advance()) {
      break;
    }
  }
  return total;
}

}  // namespace lade::build
