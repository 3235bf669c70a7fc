#include "registry/server/uploads.hpp"

#include <openssl/rand.h>

#include <array>

#include "os/file.hpp"
#include "registry/server/api_error.hpp"

namespace lade::registry::server {

namespace {

// Each holds a file open.
constexpr std::size_t max_uploads = 256;
constexpr std::chrono::hours max_idle{1};

// The form of a random UUID (RFC 9562 section 5.4), which clients have come to expect.
std::string new_id() {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw Error(Kind::system, "no random numbers");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  static constexpr char digits[] = "0123456789abcdef";
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += digits[bytes[i] >> 4];
    id += digits[bytes[i] & 15];
  }
  return id;
}

}  // namespace

Upload::Upload(std::string id, std::string repository, os::AtomicFile file)
    : id_(std::move(id)), repository_(std::move(repository)), file_(std::move(file)) {}

// Data comes in pieces of a few KiB; they are gathered, so that each write and hash is worth its call.
void Upload::append(io::Bytes data) {
  buffer_.reserve(io::chunk_size);
  while (!data.empty()) {
    const std::size_t count = std::min(data.size(), io::chunk_size - buffer_.size());
    buffer_.insert(buffer_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    data = data.subspan(count);
    size_ += count;
    if (buffer_.size() == io::chunk_size) flush();
  }
}

void Upload::flush() {
  digester_.update(buffer_);
  file_.write(buffer_);
  buffer_.clear();
}

spec::Digest Upload::content_digest(spec::Digest::Algorithm algorithm) {
  flush();
  if (algorithm == spec::Digest::Algorithm::sha256) return digester_.finish();
  io::Digester digester(algorithm);
  os::RangeReader content(std::make_shared<const os::UniqueFd>(os::duplicate(file_.fd().get())), 0, size_);
  std::vector<std::byte> chunk(io::chunk_size);
  while (const std::size_t count = content.read(chunk)) digester.update(io::Bytes(chunk).first(count));
  return digester.finish();
}

bool Upload::publish(const LayoutStore& store, const spec::Digest& expected) {
  if (content_digest(expected.algorithm()) != expected) return false;
  // Renaming over an equal file would only cost a sync.
  if (!store.find_blob(expected)) store.commit_blob(std::move(file_), expected);
  return true;
}

std::shared_ptr<Upload> Uploads::begin(const std::string& repository) {
  const auto now = std::chrono::steady_clock::now();
  auto upload = std::make_shared<Upload>(new_id(), repository, store_.new_blob());
  auto sessions = sessions_.lock();
  if (sessions->size() >= max_uploads) {
    std::erase_if(*sessions, [&](const auto& one) { return now - one.second.used > max_idle; });
  }
  if (sessions->size() >= max_uploads) throw ApiError(429, "TOOMANYREQUESTS", "too many open uploads");
  (*sessions)[upload->id()] = {upload, now};
  return upload;
}

Uploads::Session& Uploads::find(Sessions& sessions, const std::string& repository, const std::string& id) {
  const auto found = sessions.find(id);
  if (found == sessions.end() || found->second.upload->repository() != repository) {
    throw ApiError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  }
  found->second.used = std::chrono::steady_clock::now();
  return found->second;
}

std::shared_ptr<const Upload> Uploads::get(const std::string& repository, const std::string& id) {
  auto sessions = sessions_.lock();
  return find(*sessions, repository, id).upload;
}

Uploads::Held Uploads::lock(const std::string& repository, const std::string& id) {
  auto sessions = sessions_.lock();
  Session& session = find(*sessions, repository, id);
  std::unique_lock busy(session.upload->busy_, std::try_to_lock);
  if (!busy.owns_lock())
    throw ApiError(409, "BLOB_UPLOAD_INVALID", "another request is writing to this upload");
  return {session.upload, std::move(busy)};
}

void Uploads::remove(const std::string& id) {
  sessions_.lock()->erase(id);
}

}  // namespace lade::registry::server
