// A file of a web server as a file of this machine.
#pragma once

#include <string>

#include "engines/front.hpp"

namespace lade::engines {

// Removed at the end. Kind::not_found, denied or unavailable for an answer that is not 200.
class Download {
 public:
  Download(const common::Session& session, const Context& context, const std::string& url);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "http://..." or "https://..."
bool is_web_address(std::string_view text);

}  // namespace lade::engines
