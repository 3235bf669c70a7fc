#include "transport/local_path.hpp"

#include <filesystem>

#include "base/error.hpp"

namespace lade::transport {

namespace fs = std::filesystem;

namespace {

fs::path resolve_existing(const fs::path& path) {
  std::error_code error;
  auto resolved = fs::canonical(path.empty() ? fs::path(".") : path, error);
  if (error) throw Error::from_errno(error.value(), "lstat " + path.string());
  return resolved;
}

}  // namespace

std::string resolve_path(const std::string& text) {
  const fs::path path(text);
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) return resolve_existing(path).string();
  return (resolve_existing(path.parent_path()) / path.filename()).lexically_normal().string();
}

std::vector<std::string> path_scopes(const std::string& resolved, bool with_path) {
  std::vector<std::string> scopes;
  if (with_path) scopes.push_back(resolved);
  for (auto slash = resolved.rfind('/'); slash != std::string::npos && slash != 0;) {
    scopes.push_back(resolved.substr(0, slash));
    slash = resolved.rfind('/', slash - 1);
  }
  return scopes;
}

}  // namespace lade::transport
