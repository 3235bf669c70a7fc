#include "layer/attributes.hpp"

#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.hpp"
#include "layer/names.hpp"
#include "layer/xattr_names.hpp"
#include "os/file.hpp"

namespace lade::layer {

namespace {

constexpr std::string_view default_acl = "system.posix_acl_default";

std::timespec to_timespec(const archive::TarTime& time) {
  std::timespec result{};
  result.tv_sec = static_cast<std::time_t>(time.seconds);
  result.tv_nsec = static_cast<long>(time.nanoseconds);
  return result;
}

// Of a file that is open.
const std::string no_name;

// The name MUST NOT be a symbolic link.
void set_mode(const Place& place, std::uint32_t mode) {
  if (::fchmodat(place.parent, place.name.c_str(), mode, 0) != 0) throw Error::from_errno(errno, "chmod");
}

void set_times_at(const Place& place, const archive::TarHeader& header) {
  const auto times = times_of(header);
  if (::utimensat(place.parent, place.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    throw Error::from_errno(errno, "set times");
}

}  // namespace

std::array<std::timespec, 2> times_of(const archive::TarHeader& header) {
  const auto access = std::max(header.atime.value_or(header.mtime), header.mtime);
  return {to_timespec(access), to_timespec(header.mtime)};
}

Attributes::Attributes(const Context& context, const os::UniqueFd& root, const ApplyOptions& options,
                       bool exactly)
    : context_(context), options_(options), creator_{::geteuid(), ::getegid()} {
  // What is there may hold directories that pass on their group; a new tree holds none until the end.
  const bool is_new = options.whiteouts != Whiteouts::remove && options.whiteouts != Whiteouts::none;
  if (!exactly || !is_new) return;
  const os::UniqueFd probe(::openat(root.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0777));
  if (!probe.is_open()) return;
  const auto given = os::stat_of(probe);
  exact_ = (given.st_mode & 07777) == 0777 && given.st_uid == creator_.uid && given.st_gid == creator_.gid;
}

Attributes::Owner Attributes::owner_of(std::uint32_t uid, std::uint32_t gid) const {
  const auto host_uid = to_host_id(options_.ids.uids, uid);
  const auto host_gid = to_host_id(options_.ids.gids, gid);
  if (!host_uid || !host_gid) {
    throw Error(Kind::invalid_input,
                fmt::format("container ID {} cannot be mapped to a host ID", host_uid ? gid : uid));
  }
  return {*host_uid, *host_gid};
}

void Attributes::set_owner(const Place& place, std::uint32_t uid, std::uint32_t gid, bool created) {
  const Owner owner = owner_of(uid, gid);
  if (created && exact_ && owner.uid == creator_.uid && owner.gid == creator_.gid) return;
  if (::fchownat(place.parent, place.name.c_str(), owner.uid, owner.gid,
                 AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
    return;
  const int error = errno;
  if (options_.ignore_chown_errors) {
    if (!std::exchange(warned_, true))
      context_.log.warning(fmt::format("owners of files are not kept, the first is {}", place.path));
    return;
  }
  const Error cause = Error::from_errno(error, "chown");
  if (error != EINVAL) throw cause;
  throw Error(
      Kind::invalid_input,
      fmt::format("potentially insufficient UIDs or GIDs available in user namespace (requested {}:{}): "
                  "check /etc/subuid and /etc/subgid: {}",
                  owner.uid, owner.gid, cause.what()));
}

template <class Set>
void Attributes::set_xattrs(const archive::TarHeader& header, const Set& set) {
  for (auto record = header.pax.lower_bound(std::string(xattr_record));
       record != header.pax.end() && record->first.starts_with(xattr_record); ++record) {
    const std::string name = record->first.substr(xattr_record.size());
    if (is_foreign_xattr(name)) continue;
    // From here on, what is created in that directory gets an access list, and its mode from that.
    if (name == default_acl) exact_ = false;
    if (set(name.c_str(), record->second) == 0) continue;
    if (errno == ENOTSUP || (errno == EPERM && options_.rootless)) continue;
    throw Error::from_errno(errno, "set extended attribute " + name);
  }
}

void Attributes::set_xattrs_at(const Place& place, const archive::TarHeader& header) {
  if (header.pax.empty()) return;
  const std::string path = path_at(place.parent, place.name);
  set_xattrs(header, [&path](const char* name, const std::string& value) {
    return ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
  });
}

void Attributes::finish(const os::UniqueFd& file, const std::string& path, const archive::TarHeader& header) {
  set_owner({file.get(), no_name, path}, header.uid, header.gid, true);
  if ((!exact_ || creation_mode(header.mode) != header.mode) && ::fchmod(file.get(), header.mode) != 0)
    throw Error::from_errno(errno, "chmod");
  set_xattrs(header, [&file](const char* name, const std::string& value) {
    return ::fsetxattr(file.get(), name, value.data(), value.size(), 0);
  });
  const auto times = times_of(header);
  if (::futimens(file.get(), times.data()) != 0) throw Error::from_errno(errno, "set times");
}

void Attributes::finish_node(const Place& place, const archive::TarHeader& header) {
  set_owner(place, header.uid, header.gid, true);
  if (!exact_ || creation_mode(header.mode) != header.mode) set_mode(place, header.mode);
  set_xattrs_at(place, header);
  set_times_at(place, header);
}

void Attributes::finish_link(const Place& place, const archive::TarHeader& header) {
  set_owner(place, header.uid, header.gid, true);
  set_xattrs_at(place, header);
  set_times_at(place, header);
}

bool Attributes::begin_directory(const Place& place, const archive::TarHeader& header, bool created) {
  set_owner(place, header.uid, header.gid, created);
  const bool as_created = created && exact_ && directory_creation_mode(header.mode) == header.mode;
  set_xattrs_at(place, header);
  return as_created;
}

void Attributes::begin_missing_directory(const Place& place) {
  set_owner(place, 0, 0, true);
  if (!exact_) set_mode(place, missing_mode);
}

void Attributes::finish_whiteout(const Place& place, const archive::TarHeader& header) {
  set_owner(place, header.uid, header.gid, true);
}

void Attributes::set_opaque(int directory) {
  if (::setxattr(path_at(directory, ".").c_str(), options_.opaque_xattr.c_str(), "y", 1, 0) != 0)
    throw Error::from_errno(errno, "set extended attribute " + options_.opaque_xattr);
}

}  // namespace lade::layer
