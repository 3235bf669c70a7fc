// Blob uploads that have begun and are not complete.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.hpp"
#include "io/digester.hpp"
#include "io/stream.hpp"
#include "os/atomic_file.hpp"
#include "registry/server/layout_store.hpp"

namespace lade::registry::server {

// One upload. Only its holder (see Uploads::lock) may append or publish; size() is for everyone.
class Upload {
 public:
  Upload(std::string id, std::string repository, os::AtomicFile file);

  const std::string& id() const { return id_; }
  const std::string& repository() const { return repository_; }
  std::uint64_t size() const { return size_; }

  void append(io::Bytes data);
  // Publishes what was appended; false, and nothing is published, if its digest is another one.
  // The upload is used up.
  bool publish(const LayoutStore& store, const spec::Digest& expected);

 private:
  friend class Uploads;
  void flush();
  spec::Digest content_digest(spec::Digest::Algorithm algorithm);

  std::mutex busy_;
  std::string id_, repository_;
  os::AtomicFile file_;
  io::Digester digester_;
  std::vector<std::byte> buffer_;
  std::atomic<std::uint64_t> size_{0};
};

// Thread-safe.
class Uploads {
 public:
  explicit Uploads(LayoutStore& store) : store_(store) {}

  // Sole use of an upload.
  class Held {
   public:
    Held(std::shared_ptr<Upload> upload, std::unique_lock<std::mutex> lock)
        : upload_(std::move(upload)), lock_(std::move(lock)) {}
    Upload* operator->() const { return upload_.get(); }
    Upload& operator*() const { return *upload_; }

   private:
    std::shared_ptr<Upload> upload_;
    std::unique_lock<std::mutex> lock_;  // last: it is inside the upload
  };

  // Throws ApiError 429 when too many are open.
  std::shared_ptr<Upload> begin(const std::string& repository);
  // Throws ApiError 404 if there is no such upload in this repository.
  std::shared_ptr<const Upload> get(const std::string& repository, const std::string& id);
  // As get; ApiError 409 if another request is writing.
  Held lock(const std::string& repository, const std::string& id);
  void remove(const std::string& id);

 private:
  struct Session {
    std::shared_ptr<Upload> upload;
    std::chrono::steady_clock::time_point used;
  };
  using Sessions = std::map<std::string, Session>;

  static Session& find(Sessions& sessions, const std::string& repository, const std::string& id);

  LayoutStore& store_;
  Sync<Sessions> sessions_;
};

}  // namespace lade::registry::server
