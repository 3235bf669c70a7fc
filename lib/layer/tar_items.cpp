#include "layer/tar_items.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "io/writers.hpp"
#include "layer/names.hpp"
#include "layer/whiteout.hpp"
#include "layer/xattr_names.hpp"
#include "os/file.hpp"

namespace lade::layer {

using archive::TarHeader;
using archive::TarType;

namespace {

// Of all names, and of one value (xattr(7): the kernel's limit is 64 KiB for both).
constexpr std::size_t max_xattr = 64 * 1024;

TarType type_of_mode(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return TarType::directory;
    case S_IFLNK: return TarType::symlink;
    case S_IFCHR: return TarType::char_device;
    case S_IFBLK: return TarType::block_device;
    case S_IFIFO: return TarType::fifo;
    default: return TarType::regular;
  }
}

bool is_kept_xattr(std::string_view name) {
  if (name == "security.capability" || name == "security.ima") return true;
  return name.starts_with("user.") && !is_foreign_xattr(name);
}

bool is_opaque_xattr(std::string_view name) {
  return name == "trusted.overlay.opaque" || name == "user.overlay.opaque" ||
         name == "user.fuseoverlayfs.opaque";
}

// The content of such a file, or the place of such a directory, is not here.
void check_overlay_marker(std::string_view name) {
  if (name.ends_with(".overlay.redirect") || name.ends_with(".overlay.metacopy"))
    throw Error(Kind::unsupported, "the layer has the attribute " + std::string(name));
}

// What `read(buffer, size)` gives, which is short nearly always; nullopt if there is none.
template <class Read>
std::optional<std::string> read_xattr(const Read& read) {
  std::array<char, 1024> small{};
  auto size = read(small.data(), small.size());
  if (size >= 0) return std::string(small.data(), static_cast<std::size_t>(size));
  if (errno != ERANGE) return std::nullopt;
  std::string large(max_xattr, '\0');
  size = read(large.data(), large.size());
  if (size < 0) return std::nullopt;
  large.resize(static_cast<std::size_t>(size));
  return large;
}

// nullopt if it has gone.
std::optional<std::string> xattr_value(const std::string& path, const std::string& name) {
  auto value = read_xattr(
      [&](char* buffer, std::size_t size) { return ::lgetxattr(path.c_str(), name.c_str(), buffer, size); });
  if (!value && errno != ENODATA) throw Error::from_errno(errno, "read extended attribute " + name);
  return value;
}

}  // namespace

archive::PaxRecords xattrs_of(const Found& found, bool* opaque) {
  const std::string path = path_at(found.parent.get(), found.name);
  const auto names =
      read_xattr([&](char* buffer, std::size_t size) { return ::llistxattr(path.c_str(), buffer, size); });
  if (!names && errno != ENOTSUP) throw Error::from_errno(errno, "list extended attributes");
  if (!names) return {};
  archive::PaxRecords records;
  for (std::size_t begin = 0; begin < names->size();) {
    const std::string name = names->c_str() + begin;
    begin += name.size() + 1;
    check_overlay_marker(name);
    if (opaque != nullptr && is_opaque_xattr(name)) *opaque |= xattr_value(path, name) == "y";
    if (!is_kept_xattr(name)) continue;
    if (name.find('=') != std::string::npos)
      throw Error(Kind::unsupported, "a tar cannot hold an extended attribute with = in its name");
    if (auto value = xattr_value(path, name)) records[std::string(xattr_record) + name] = std::move(*value);
  }
  return records;
}

std::string link_target(const Found& found) {
  std::string target(PATH_MAX, '\0');
  const auto size = ::readlinkat(found.parent.get(), found.name.c_str(), target.data(), target.size());
  if (size < 0) throw Error::from_errno(errno, "read a link");
  target.resize(static_cast<std::size_t>(size));
  return target;
}

void TarItems::set_owner(TarHeader& header, const struct ::stat& stat) const {
  if (options_.owner) {
    header.uid = options_.owner->uid;
    header.gid = options_.owner->gid;
    return;
  }
  const auto uid = to_container_id(options_.ids.uids, stat.st_uid);
  const auto gid = to_container_id(options_.ids.gids, stat.st_gid);
  if (!uid || !gid) {
    throw Error(Kind::invalid_input, fmt::format("host ID {} cannot be mapped to a container ID",
                                                 uid ? stat.st_gid : stat.st_uid));
  }
  header.uid = *uid;
  header.gid = *gid;
}

archive::TarTime TarItems::mtime_of(const struct ::stat& stat) const {
  const std::int64_t seconds = options_.mtime.value_or(stat.st_mtim.tv_sec);
  return {std::min(seconds, options_.latest_mtime.value_or(seconds)), 0};
}

std::optional<TarItem> TarItems::make(const Found& found, bool* opaque) {
  if (S_ISSOCK(found.stat.st_mode)) return std::nullopt;
  struct ::stat stat = found.stat;
  TarItem item;
  if (S_ISREG(stat.st_mode)) {
    item.content = os::open_at(found.parent, found.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    stat = os::stat_of(item.content);
    if (!S_ISREG(stat.st_mode)) throw Error(Kind::integrity, "another file took its place");
    if (options_.clones != nullptr && static_cast<std::uint64_t>(stat.st_size) >= FileClones::min_size) {
      if (auto clone = options_.clones->make(item.content, found.path)) {
        item.content = std::move(*clone);
        stat.st_size = os::stat_of(item.content).st_size;
      }
    }
  }
  TarHeader& header = item.header;
  header.name = found.path;
  header.type = type_of_mode(stat.st_mode);
  // With the type, as containers/storage writes it since Go 1.9 no longer does.
  header.mode = stat.st_mode;
  header.mtime = mtime_of(stat);
  set_owner(header, stat);
  header.pax = xattrs_of(found, opaque);
  if (header.type == TarType::directory) header.name += '/';
  if (header.type == TarType::symlink) header.link = link_target(found);
  if (header.type == TarType::char_device || header.type == TarType::block_device) {
    header.device_major = major(stat.st_rdev);
    header.device_minor = minor(stat.st_rdev);
  }
  if (header.type == TarType::regular) header.size = static_cast<std::uint64_t>(stat.st_size);
  if (header.type != TarType::directory && stat.st_nlink > 1) {
    const auto [first, is_first] = linked_.try_emplace({stat.st_dev, stat.st_ino}, found.path);
    if (!is_first) {
      header.type = TarType::hard_link;
      header.link = first->second;
      header.size = 0;
      header.device_major = header.device_minor = 0;
    }
  }
  return item;
}

TarItem TarItems::whiteout(const std::string& path, const struct ::stat* device) const {
  const auto above = parent_of(path);
  TarItem item;
  TarHeader& header = item.header;
  header.name = above;
  if (!above.empty()) header.name += '/';
  header.name += whiteout_prefix;
  header.name += base_of(path);
  header.mode = 0;
  if (device == nullptr) {
    header.mtime.seconds = options_.mtime.value_or(0);
  } else {
    header.mtime = mtime_of(*device);
    // Not mapped: nobody made them as a user of the container.
    header.uid = device->st_uid;
    header.gid = device->st_gid;
  }
  if (options_.owner) {
    header.uid = options_.owner->uid;
    header.gid = options_.owner->gid;
  }
  return item;
}

TarItem TarItems::opaque_marker(const TarHeader& directory) const {
  TarItem item;
  item.header.name = directory.name + std::string(opaque_whiteout);
  item.header.mode = directory.mode & 0777;
  item.header.uid = directory.uid;
  item.header.gid = directory.gid;
  item.header.mtime.seconds = options_.mtime.value_or(0);
  return item;
}

// False at the end.
bool TarItemReader::advance() {
  pending_.clear();
  position_ = 0;
  if (ended_) return false;
  io::TextAppender buffer(pending_);
  pending_.append(archive::tar_padding(item_.header.size), '\0');
  // A writer a member: contents go past it.
  archive::TarWriter writer(buffer);
  if (auto next = next_()) {
    item_ = std::move(*next);
    left_ = item_.header.size;
    writer.begin(item_.header);
  } else {
    ended_ = true;
    writer.finish();
  }
  return true;
}

std::size_t TarItemReader::read_content(io::Buffer buffer) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  for (;;) {
    const auto count = ::read(item_.content.get(), buffer.data(), want);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error::from_errno(errno, "read " + item_.header.name);
    if (count == 0) throw Error(Kind::integrity, "the file " + item_.header.name + " has become shorter");
    left_ -= static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
}

std::size_t TarItemReader::read(io::Buffer buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const auto rest = buffer.subspan(total);
    if (position_ < pending_.size()) {
      const auto bytes = io::as_bytes(pending_).subspan(position_);
      const auto part = bytes.first(std::min(bytes.size(), rest.size()));
      std::copy(part.begin(), part.end(), rest.begin());
      position_ += part.size();
      total += part.size();
    } else if (left_ > 0) {
      total += read_content(rest);
    } else if (!advance()) {
      break;
    }
  }
  return total;
}

}  // namespace lade::layer
