#include "build/destination.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.hpp"
#include "build/glob.hpp"
#include "layer/tree.hpp"

namespace lade::build {

namespace {

constexpr int max_links_followed = 40;
constexpr mode_t new_directory_mode = 0755;

bool ends_as_directory(const std::string& path) {
  return path.ends_with('/') || path.ends_with("/.") || path == ".";
}

os::UniqueFd make_directory_in(const os::Root& root, const std::string& path, const Owner& owner, int links);

// The target of the link `name` in `parent`, from the root.
std::string link_target_of(const os::UniqueFd& parent, const std::string& name,
                           const std::string& directory) {
  std::array<char, PATH_MAX> target{};
  const auto size = ::readlinkat(parent.get(), name.c_str(), target.data(), target.size());
  if (size < 0)
    throw Error(Kind::invalid_input, fmt::format("/{} is not a directory", directory + "/" + name));
  const std::string text(target.data(), static_cast<std::size_t>(size));
  return layer::clean_layer_name(text.starts_with('/') ? text : directory + "/" + text);
}

os::UniqueFd make_directory_in(const os::Root& root, const std::string& path, const Owner& owner, int links) {
  if (path.empty()) return root.open(".", O_RDONLY | O_DIRECTORY);
  try {
    return root.open(path, O_RDONLY | O_DIRECTORY);
  } catch (const Error& error) {
    if (error.kind() != Kind::not_found) throw;
  }
  const auto slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const os::UniqueFd parent = make_directory_in(root, above, owner, links);
  if (::mkdirat(parent.get(), name.c_str(), new_directory_mode) == 0) {
    os::UniqueFd made = os::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (::fchown(made.get(), owner.uid, owner.gid) != 0 || ::fchmod(made.get(), new_directory_mode) != 0)
      throw Error::from_errno(errno, "chown /" + path);
    return made;
  }
  if (errno != EEXIST) throw Error::from_errno(errno, "mkdir /" + path);
  // A link to nothing: that is made.
  if (links == max_links_followed) throw Error::from_errno(ELOOP, "mkdir /" + path);
  return make_directory_in(root, link_target_of(parent, name, above), owner, links + 1);
}

}  // namespace

os::UniqueFd ensure_directory(const os::Root& root, const std::string& path, const Owner& owner) {
  return in_context("ensuring target directory exists",
                    [&] { return make_directory_in(root, path, owner, 0); });
}

DestinationPlace resolve_destination(const os::Root& root, const DestinationRequest& request) {
  std::string wanted = request.destination;
  bool must_be_directory = wanted.empty() || ends_as_directory(wanted) || request.sources > 1;
  if (!wanted.starts_with('/')) wanted = "/" + request.working_directory + "/" + wanted;
  const std::string path = layer::clean_layer_name(wanted);
  must_be_directory |= path == layer::clean_layer_name(request.working_directory) || request.needs_directory;
  const auto there = request.is_new_root ? std::nullopt : find_in_root(root, path, true);
  const bool is_file = there && S_ISREG(there->st_mode);
  if (is_file && must_be_directory)
    throw Error(Kind::invalid_input,
                fmt::format("destination {} already exists but is not a directory",
                            request.destination.empty() ? "/" + path : request.destination));
  const bool takes_name = is_file || (!there && !must_be_directory && request.single_file);
  if (!takes_name) return {path, ""};
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

Owner owner_on_disk(const layer::IdMaps& ids, const Owner& owner) {
  return {layer::to_host_id(ids.uids, owner.uid).value_or(owner.uid),
          layer::to_host_id(ids.gids, owner.gid).value_or(owner.gid)};
}

}  // namespace lade::build
