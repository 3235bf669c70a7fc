// Sources of `add` and `copy` that are elsewhere: files of web servers, and git repositories.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "build/add.hpp"
#include "buildah/working.hpp"
#include "engines/download.hpp"
#include "os/temp_dir.hpp"

namespace lade::buildah {

// "http(s)://...": `X.git` and `X.git#REF:DIRECTORY` are repositories, all others files.
bool is_remote_source(const std::string& source);

// What was fetched, until the end.
class RemoteSources {
 public:
  explicit RemoteSources(WorkSession& session) : session_(session) {}

  // --retry and --retry-delay, --cert-dir, --tls-verify and --checksum are heeded. Kind::integrity
  // `reading "URL": unexpected response digest for "URL": X, want Y`.
  build::AddSource fetch(const std::string& source);

 private:
  build::AddSource fetch_file(const std::string& url);
  build::AddSource clone(const std::string& source);
  void run_git(const std::vector<std::string>& arguments);

  WorkSession& session_;
  std::vector<std::unique_ptr<engines::Download>> downloads_;
  std::vector<std::unique_ptr<os::TempDir>> clones_;
};

}  // namespace lade::buildah
