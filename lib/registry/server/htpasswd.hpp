// HTTP Basic authentication (RFC 7617) against a file made by `htpasswd -B`.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "registry/server/file_version.hpp"

namespace lade::registry::server {

// Thread-safe. The file is read again when it has changed.
class Htpasswd {
 public:
  // Throws what reading the file gives, and Kind::invalid_input for an entry that is not bcrypt.
  explicit Htpasswd(std::filesystem::path path);

  // `authorization` is the value of the header; "" if there is none.
  bool allows(std::string_view authorization);

 private:
  void refresh();

  std::filesystem::path path_;
  std::mutex mutex_;
  FileVersion version_;  // of hashes_
  std::map<std::string, std::string, std::less<>> hashes_;
  // By user: the digest of what was right before; bcrypt is slow by design, and every request
  // carries the password.
  std::map<std::string, std::string, std::less<>> proven_;
};

}  // namespace lade::registry::server
