// A file of a web server as a file of this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engines/front.hpp"

namespace lade::engines {

// Removed at the end. Kind::not_found, denied or unavailable for an answer that is not 200.
class Download {
 public:
  // Where the command has --cert-dir and --tls-verify, these are heeded.
  Download(const common::Session& session, const Context& context, const common::Flags& flags,
           const std::string& url);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  const std::string& path() const { return path_; }
  // Seconds after 1970, of the header Last-Modified.
  std::optional<std::int64_t> last_modified() const { return last_modified_; }

 private:
  std::string path_;
  std::optional<std::int64_t> last_modified_;
};

// "http://..." or "https://..."
bool is_web_address(std::string_view text);

}  // namespace lade::engines
