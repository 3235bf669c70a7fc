#include "store/check_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "layer/whiteout.hpp"
#include "os/file.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;
using archive::TarHeader;
using archive::TarType;

constexpr unsigned mode_bits = 07777;

std::string joined_name(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}/{}", parent, name);
}

mode_t type_bits(TarType type) {
  switch (type) {
    case TarType::directory: return S_IFDIR;
    case TarType::symlink: return S_IFLNK;
    case TarType::char_device: return S_IFCHR;
    case TarType::block_device: return S_IFBLK;
    case TarType::fifo: return S_IFIFO;
    default: return S_IFREG;
  }
}

std::optional<struct ::stat> status_in(const os::Root& root, const std::string& name) {
  struct ::stat status {};
  const std::string parent(layer::parent_of(name));
  try {
    const os::UniqueFd directory = root.open(parent.empty() ? "." : parent, O_PATH | O_DIRECTORY);
    const std::string base(layer::base_of(name));
    if (::fstatat(directory.get(), base.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return status;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string link_in(const os::Root& root, const std::string& name) {
  const std::string parent(layer::parent_of(name));
  const os::UniqueFd directory = root.open(parent.empty() ? "." : parent, O_PATH | O_DIRECTORY);
  std::array<char, 4096> target{};
  const auto size =
      ::readlinkat(directory.get(), std::string(layer::base_of(name)).c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

bool is_device(TarType type) {
  return type == TarType::char_device || type == TarType::block_device;
}

bool is_whiteout_device(const struct ::stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

std::string trouble_with_attributes(const struct ::stat& status, const TarHeader& header,
                                    const TreeRules& rules) {
  if (rules.owners && (status.st_uid != header.uid || status.st_gid != header.gid))
    return fmt::format("belongs to {}:{}, and should to {}:{}", status.st_uid, status.st_gid, header.uid,
                       header.gid);
  if (header.type == TarType::symlink) return "";
  const unsigned mode = status.st_mode & mode_bits, wanted = header.mode & mode_bits;
  if (mode != wanted) return fmt::format("has the mode {:04o}, and should have {:04o}", mode, wanted);
  const bool is_file = type_bits(header.type) == S_IFREG;
  if (is_file && static_cast<std::uint64_t>(status.st_size) != header.size)
    return fmt::format("has {} bytes, and should have {}", status.st_size, header.size);
  if (is_file && status.st_mtim.tv_sec != header.mtime.seconds) return "was changed since it was unpacked";
  return "";
}

}  // namespace

void ExpectedTree::add(const TarHeader& header) {
  if (header.type == TarType::global_pax) return;
  const std::string name = archive::clean_name(header.name);
  if (name.empty() || name == ".." || name.starts_with("../")) return;
  TarHeader& kept = entries_[name];
  kept = header;
  kept.pax.clear();
}

std::string ExpectedTree::compare_entry(const os::Root& root, const std::string& name,
                                        const TarHeader& header, const TreeRules& rules) const {
  const std::string_view base = layer::base_of(name);
  if (layer::is_whiteout(base) && !rules.whiteout_files) {
    if (base.starts_with(layer::whiteout_meta_prefix)) return "";
    const std::string hidden =
        joined_name(layer::parent_of(name), base.substr(layer::whiteout_prefix.size()));
    if (entries_.contains(hidden)) return "";
    const auto status = status_in(root, hidden);
    // Where all files of an image are kept together, what is hidden is just not there.
    const bool is_right = rules.only_these ? status && is_whiteout_device(*status) : !status;
    return is_right ? "" : fmt::format("{}: is not hidden as it should be", hidden);
  }
  if (is_device(header.type) && !rules.devices) return "";
  const auto status = status_in(root, name);
  if (!status) return fmt::format("{}: is missing", name);
  if (header.type == TarType::hard_link)
    return S_ISDIR(status->st_mode) ? fmt::format("{}: is of another type", name) : "";
  if ((status->st_mode & S_IFMT) != type_bits(header.type))
    return fmt::format("{}: is of another type", name);
  if (header.type == TarType::symlink && link_in(root, name) != header.link)
    return fmt::format("{}: leads to another place", name);
  if (is_device(header.type) && status->st_rdev != ::makedev(header.device_major, header.device_minor))
    return fmt::format("{}: is another device", name);
  const std::string trouble = trouble_with_attributes(*status, header, rules);
  return trouble.empty() ? "" : fmt::format("{}: {}", name, trouble);
}

std::string ExpectedTree::find_stranger(const Path& directory, const TreeRules& rules) const {
  std::set<std::string> parents;
  for (const auto& [name, header] : entries_)
    for (std::string_view parent = layer::parent_of(name); !parent.empty(); parent = layer::parent_of(parent))
      if (!parents.insert(std::string(parent)).second) break;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    const std::string name = at->path().lexically_relative(directory).string();
    if (entries_.contains(name) || parents.contains(name)) continue;
    const std::string whiteout = joined_name(
        layer::parent_of(name), fmt::format("{}{}", layer::whiteout_prefix, layer::base_of(name)));
    if (!rules.whiteout_files && entries_.contains(whiteout)) continue;
    return fmt::format("{}: is not in its tar", name);
  }
  return "";
}

std::string ExpectedTree::compare(const Path& directory, const TreeRules& rules) const {
  const os::Root root(directory);
  // Names that go through links of the layer itself mean other places than they say.
  std::set<std::string> links;
  for (const auto& [name, header] : entries_)
    if (header.type == TarType::symlink) links.insert(name);
  const auto goes_through_link = [&](const std::string& name) {
    for (std::string_view parent = layer::parent_of(name); !parent.empty(); parent = layer::parent_of(parent))
      if (links.contains(std::string(parent))) return true;
    return false;
  };
  bool through_links = false;
  for (const auto& [name, header] : entries_) {
    if (!links.empty() && goes_through_link(name)) {
      through_links = true;
      continue;
    }
    if (auto trouble = compare_entry(root, name, header, rules); !trouble.empty()) return trouble;
  }
  return rules.only_these && !through_links ? find_stranger(directory, rules) : "";
}

}  // namespace lade::store
