// What a sync has done, kept on disk so that the next one, or the same one after an interruption, finds out
// by digests alone what is left to do.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "os/lock_file.hpp"
#include "os/unique_fd.hpp"
#include "spec/digest.hpp"

namespace lade::sync {

// Lines of JSON, one a copied image; the last one about an image counts. Thread-safe; a second process with
// the same file waits in open(), for "<path>.lock".
class Journal {
 public:
  struct Entry {
    spec::Digest source;   // of the manifest that the source named
    spec::Digest written;  // of the manifest that the destination was given
    bool operator==(const Entry&) const = default;
  };

  // Creates what is missing. Lines that cannot be read, such as the last one of a crashed sync, are dropped.
  // Kind::invalid_input for a file of another kind.
  static std::unique_ptr<Journal> open(const Context& context, const std::filesystem::path& path);

  std::optional<Entry> find(const std::string& source, const std::string& destination);
  // Is on disk, as far as write(2) promises, when it returns.
  void add(const std::string& source, const std::string& destination, const Entry& entry);

 private:
  using Entries = std::map<std::pair<std::string, std::string>, Entry>;
  Journal(os::LockFile lock, os::UniqueFd fd, Entries entries)
      : lock_(std::move(lock)), fd_(std::move(fd)), entries_(std::move(entries)) {}

  os::LockFile lock_;
  os::UniqueFd fd_;
  Sync<Entries> entries_;
};

}  // namespace lade::sync
