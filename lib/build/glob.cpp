#include "build/glob.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "build/patterns.hpp"
#include "layer/names.hpp"

namespace lade::build {

namespace {

constexpr std::size_t max_matches = 1'000'000;

std::vector<std::string> components_of(std::string_view path) {
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.substr(begin, end - begin) != ".")
      result.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

std::string joined_path(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// Nothing if it is no directory.
std::vector<std::string> names_below(const os::Root& root, const std::string& directory) {
  try {
    const auto fd = root.open(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
    auto names = layer::names_in(fd);
    std::ranges::sort(names);
    return names;
  } catch (const Error& error) {
    if (error.kind() == Kind::not_found || error.kind() == Kind::system) return {};
    throw;
  }
}

// `directory` and all directories below it, but not behind links.
void add_directories(const Context& context, const os::Root& root, const std::string& directory,
                     std::vector<std::string>& result) {
  context.throw_if_stopped();
  if (result.size() > max_matches) throw Error(Kind::invalid_input, "too many files match");
  result.push_back(directory);
  for (const auto& name : names_below(root, directory)) {
    const std::string path = joined_path(directory, name);
    const auto stat = find_in_root(root, path, false);
    if (stat && S_ISDIR(stat->st_mode)) add_directories(context, root, path, result);
  }
}

}  // namespace

std::optional<struct ::stat> find_in_root(const os::Root& root, const std::string& path, bool follow) {
  try {
    const auto fd = root.open(path.empty() ? "." : path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    struct ::stat stat {};
    if (::fstat(fd.get(), &stat) != 0) throw Error::from_errno(errno, "stat " + path);
    return stat;
  } catch (const Error& error) {
    // ENOTDIR and ELOOP are no errors either: there is nothing of this name.
    if (error.kind() == Kind::not_found || error.kind() == Kind::system) return std::nullopt;
    throw;
  }
}

std::vector<std::string> expand_glob(const Context& context, const os::Root& root, std::string_view pattern) {
  std::vector<std::string> found{""};
  for (const auto& component : components_of(pattern)) {
    std::vector<std::string> next;
    for (const auto& directory : found) {
      context.throw_if_stopped();
      if (component == "**") {
        add_directories(context, root, directory, next);
      } else if (has_wildcards(component)) {
        for (const auto& name : names_below(root, directory))
          if (matches_pattern(component, name)) next.push_back(joined_path(directory, name));
      } else {
        next.push_back(joined_path(directory, component));
      }
    }
    if (next.size() > max_matches) throw Error(Kind::invalid_input, "too many files match");
    found = std::move(next);
  }
  std::erase_if(found, [&](const std::string& path) { return !find_in_root(root, path, false); });
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace lade::build
