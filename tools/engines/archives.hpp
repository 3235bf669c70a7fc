// Images in files: what load finds in one, whatever its format.
#pragma once

#include <string>
#include <vector>

#include "engines/transfer.hpp"

namespace lade::engines {

// Loads all images of an OCI or Docker archive (also compressed), an OCI layout or a dir: directory. Their
// names, or "sha256:<ID>" for those without. Kind::invalid_input "payload does not match any of the supported
// image formats: ..." with what each format said.
std::vector<std::string> load_images(EngineSession& session, const std::string& path);

// All images of a Docker archive, with the names that they have in it.
std::vector<Imported> import_docker_archive(EngineSession& session, const std::string& path);

// All of standard input in a file that is removed at the end.
class SpooledInput {
 public:
  explicit SpooledInput(const Context& context);
  ~SpooledInput();
  SpooledInput(const SpooledInput&) = delete;
  SpooledInput& operator=(const SpooledInput&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lade::engines
