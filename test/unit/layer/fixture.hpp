// Tars and trees for tests of layers.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <string>

#include "archive/tar_writer.hpp"
#include "base/scope_exit.hpp"
#include "layer/apply.hpp"
#include "os/unique_fd.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"
#include "support/text_writer.hpp"

namespace lade::test {

// Builds a tar, a member a call. Owners are the caller's unless changed.
class TarBuilder {
 public:
  using Change = std::function<void(archive::TarHeader&)>;

  TarBuilder& add(archive::TarType type, const std::string& name, std::string_view content = {},
                  const Change& change = nullptr) {
    archive::TarHeader header;
    header.type = type;
    header.name = name;
    header.mode = type == archive::TarType::directory ? 0755 : 0644;
    header.uid = ::geteuid();
    header.gid = ::getegid();
    header.mtime = {1'500'000'000, 0};
    const bool is_link = type == archive::TarType::symlink || type == archive::TarType::hard_link;
    if (is_link) header.link = content;
    if (change) change(header);
    tar_.add(header, is_link ? std::string_view() : content);
    return *this;
  }
  TarBuilder& file(const std::string& name, std::string_view content = {}, const Change& change = nullptr) {
    return add(archive::TarType::regular, name, content, change);
  }
  TarBuilder& directory(const std::string& name, const Change& change = nullptr) {
    return add(archive::TarType::directory, name, {}, change);
  }
  TarBuilder& symlink(const std::string& name, std::string_view target, const Change& change = nullptr) {
    return add(archive::TarType::symlink, name, target, change);
  }
  TarBuilder& hard_link(const std::string& name, std::string_view target) {
    return add(archive::TarType::hard_link, name, target);
  }
  TarBuilder& raw(std::string_view bytes) {
    tar_.end_member();
    out_.text += bytes;
    return *this;
  }
  std::string finish() {
    tar_.finish();
    return out_.text;
  }

 private:
  TextWriter out_;
  archive::TarWriter tar_{out_};
};

inline struct ::stat stat_of(const std::filesystem::path& path) {
  struct ::stat found {};
  CAPTURE(path.string());
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found;
}

// nullopt if there is none.
inline std::optional<std::string> xattr_of(const std::filesystem::path& path, const char* name) {
  std::array<char, 256> value{};
  const auto size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return std::nullopt;
  return std::string(value.data(), static_cast<std::size_t>(size));
}

// All there is to know about what is below a directory but its own attributes, a line a name.
inline std::map<std::string, std::string> listing(const std::filesystem::path& root) {
  std::map<std::string, std::string> result;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto found = stat_of(entry.path());
    std::string line = std::to_string(found.st_mode) + " " + std::to_string(found.st_uid) + ":" +
                       std::to_string(found.st_gid) + " " + std::to_string(found.st_nlink) + " " +
                       std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec);
    std::array<char, 1024> names{};
    const auto size = ::llistxattr(entry.path().c_str(), names.data(), names.size());
    line.append(" ").append(names.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    if (entry.is_symlink()) line.append(" -> ").append(std::filesystem::read_symlink(entry.path()).string());
    if (S_ISREG(found.st_mode)) {
      os::FileReader reader(entry.path());
      line.append(" ").append(read_text(reader));
    }
    result[std::filesystem::relative(entry.path(), root).string()] = line;
  }
  return result;
}

// Runs fn in this thread, and those it starts, as user and group 65534; only if this one is root.
template <class Fn>
void as_nobody(const Directory& directory, Fn&& fn) {
  if (::geteuid() != 0) return;
  REQUIRE(::chown(directory.path().c_str(), 65534, 65534) == 0);
  // glibc's wrappers would change all threads.
  ::syscall(SYS_setresgid, -1, 65534, -1);
  ::syscall(SYS_setresuid, -1, 65534, -1);
  const ScopeExit restore([] {
    ::syscall(SYS_setresuid, -1, 0, -1);
    ::syscall(SYS_setresgid, -1, 0, -1);
  });
  REQUIRE(::geteuid() == 65534);
  fn();
}

inline bool is_root() {
  return ::geteuid() == 0;
}

// Ordinary users have no trusted attributes.
inline layer::ApplyOptions usual_options() {
  layer::ApplyOptions options;
  if (!is_root()) options.opaque_xattr = "user.overlay.opaque";
  return options;
}

inline layer::AppliedLayer apply_layer(const std::string& tar, const std::filesystem::path& directory,
                                       const layer::ApplyOptions& options = usual_options()) {
  std::filesystem::create_directory(directory);
  SlowReader reader(tar, 100'000);
  return layer::apply(background(), reader, os::open_file(directory, O_RDONLY | O_DIRECTORY), options);
}

}  // namespace lade::test
