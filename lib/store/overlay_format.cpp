#include "store/overlay_format.hpp"

#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_lowers = 500;
constexpr std::uint64_t max_lower_file = 1 << 20;

std::vector<std::string> split_at_colons(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(':'), text.size());
    if (end > 0) result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

std::string joined(const std::string& first, const std::string& rest) {
  return rest.empty() ? first : first + ":" + rest;
}

bool has_foreign_attribute(const fs::path& directory) {
  std::array<char, 4096> names{};
  const auto size = ::llistxattr(directory.c_str(), names.data(), names.size());
  if (size <= 0) return size < 0 && errno == ERANGE;
  std::string_view text(names.data(), static_cast<std::size_t>(size));
  while (!text.empty()) {
    const auto name = text.substr(0, text.find('\0'));
    if (name.starts_with("user.fuseoverlayfs.") || name.starts_with("user.containers.")) return true;
    text.remove_prefix(std::min(name.size() + 1, text.size()));
  }
  return false;
}

}  // namespace

std::optional<Path> OverlayHomes::find(std::string_view id) const {
  if (!is_plain_name(id)) return std::nullopt;
  std::error_code ignored;
  for (const auto& home : homes_)
    if (auto path = home / id; fs::is_directory(path, ignored)) return path;
  return std::nullopt;
}

Path OverlayHomes::directory(std::string_view id) const {
  auto found = find(id);
  if (!found) throw Error(Kind::not_found, "the files of layer " + std::string(id) + " are not in the store");
  return *std::move(found);
}

// "l/<link>" -> "../<id>/diff"
std::string OverlayHomes::resolve_link(const std::string& link) const {
  std::error_code error;
  const fs::path name = link;
  if (name.parent_path() != "l" || !is_plain_name(name.filename().string()))
    throw Error(Kind::invalid_input, "unexpected lower layer \"" + link + "\"");
  for (const auto& home : homes_) {
    const auto target = fs::read_symlink(home / name, error);
    if (error) continue;
    const std::string id = target.parent_path().filename().string();
    if (find(id)) return id;
  }
  throw Error(Kind::not_found, "the lower layer \"" + link + "\" is not in the store");
}

std::vector<std::string> OverlayHomes::lower_ids(std::string_view id) const {
  const Path path = directory(id);
  if (const auto layers = os::find_file(path / "lower-layers", max_lower_file))
    return split_at_colons(*layers);
  std::vector<std::string> result;
  for (const auto& link : split_at_colons(os::find_file(path / "lower", max_lower_file).value_or("")))
    result.push_back(resolve_link(link));
  return result;
}

OverlayHomes::Chain OverlayHomes::chain_above(const std::string& id) const {
  const Path path = directory(id);
  std::string ids;
  const auto below = lower_ids(id);
  if (below.size() + 1 > max_lowers)
    throw Error(Kind::unsupported, "an image of more than " + std::to_string(max_lowers) + " layers");
  for (const auto& lower : below) ids.append(ids.empty() ? "" : ":").append(lower);
  const std::string link = "l/" + os::read_file(path / "link", max_lower_file);
  return {joined(link, os::find_file(path / "lower", max_lower_file).value_or("")), joined(id, ids)};
}

std::vector<Path> OverlayHomes::diffs(std::string_view id) const {
  const Path path = directory(id);
  check_readable(path);
  std::vector<Path> result{path / "diff"};
  std::error_code ignored;
  for (int i = 1; fs::is_directory(path / ("diff" + std::to_string(i)), ignored); ++i)
    result.push_back(path / ("diff" + std::to_string(i)));
  return result;
}

void check_readable(const Path& layer_directory) {
  std::error_code ignored;
  for (const char* name : {"composefs-data", "additionallayer"})
    if (fs::exists(layer_directory / name, ignored))
      throw Error(Kind::unsupported,
                  layer_directory.string() + ": layers with " + name + " are not supported");
}

bool needs_mount_program(const Path& home) {
  std::error_code error;
  fs::recursive_directory_iterator entries(home, fs::directory_options::skip_permission_denied, error);
  while (!error && entries != fs::recursive_directory_iterator()) {
    const auto name = entries->path().filename().string();
    if (name.starts_with(".wh.")) return true;
    std::error_code ignored;
    const bool is_directory = entries->symlink_status(ignored).type() == fs::file_type::directory;
    if (is_directory && has_foreign_attribute(entries->path())) return true;
    entries.increment(error);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error::from_errno(error.value(), "search " + home.string());
  return false;
}

}  // namespace lade::store
