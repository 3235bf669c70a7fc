#include "os/root.hpp"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <vector>

#include "base/error.hpp"

namespace lade::os {

namespace {

// As the kernel's limit.
constexpr int max_links = 40;

int openat2(int directory, const std::string& name, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while ".." was resolved.
  for (int attempt = 0;; ++attempt) {
    const auto fd = ::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == 100) return static_cast<int>(fd);
  }
}

bool kernel_resolves(const UniqueFd& directory) {
  const UniqueFd probe(openat2(directory.get(), ".", O_PATH, 0));
  return probe.is_open() || (errno != ENOSYS && errno != EPERM && errno != EINVAL && errno != E2BIG);
}

// Puts the components of a path in front of those that are still to come.
void push_components(std::deque<std::string>& components, std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.substr(begin, end - begin) != ".") {
      parts.emplace_back(path.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  components.insert(components.begin(), parts.begin(), parts.end());
}

// The target, if `name` is a symbolic link.
std::optional<std::string> find_link(const UniqueFd& directory, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlinkat(directory.get(), name.c_str(), target.data(), target.size());
  if (length < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace

Root::Root(const std::filesystem::path& path, Resolver resolver)
    : Root(open_file(path, O_PATH | O_DIRECTORY), resolver) {}

Root::Root(UniqueFd directory, Resolver resolver) : fd_(std::move(directory)), resolver_(resolver) {
  if (resolver == Resolver::kernel && !kernel_resolves(fd_)) resolver_ = Resolver::walk;
}

UniqueFd Root::open(std::string_view name, int flags, mode_t mode) const {
  return in_context([&] { return "open " + std::string(name); },
                    [&] {
                      if (name.find('\0') != std::string_view::npos)
                        throw Error(Kind::invalid_input, "a NUL in a file name");
                      if (resolver_ == Resolver::walk) return open_by_walk(name, flags, mode);
                      UniqueFd fd(openat2(fd_.get(), std::string(name), flags, mode));
                      if (!fd.is_open()) throw Error::from_errno(errno, "openat2");
                      return fd;
                    });
}

// Every step opens one component without following links, so that nothing outside is ever reached; links are
// read and their components take the place of the link.
UniqueFd Root::open_by_walk(std::string_view name, int flags, mode_t mode) const {
  std::deque<std::string> components;
  push_components(components, name);
  std::vector<UniqueFd> below;  // the directories from the root (not in it) to where we are
  const auto here = [&]() -> const UniqueFd& { return below.empty() ? fd_ : below.back(); };
  const bool must_be_directory = !name.empty() && name.back() == '/';
  int links = 0;
  while (!components.empty()) {
    const std::string component = std::move(components.front());
    components.pop_front();
    if (component == "..") {
      if (!below.empty()) below.pop_back();
      continue;
    }
    const bool last = components.empty();
    const bool follow = !last || (flags & O_NOFOLLOW) == 0 || must_be_directory;
    if (const auto link = follow ? find_link(here(), component) : std::nullopt) {
      if (++links > max_links) throw Error::from_errno(ELOOP, "resolve");
      if (link->starts_with('/')) below.clear();
      push_components(components, *link);
      continue;
    }
    if (last) {
      const int directory = must_be_directory ? O_DIRECTORY : 0;
      return open_at(here(), component, flags | directory | O_NOFOLLOW, mode);
    }
    below.push_back(open_at(here(), component, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }
  return open_at(here(), ".", flags, mode);
}

}  // namespace lade::os
