#include "build/users.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"

namespace lade::build {

namespace {

constexpr std::uint64_t max_account_file = 16 * 1024 * 1024;

std::optional<std::uint32_t> id_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// "" if there is none, or it is no file.
std::string account_file(const os::Root& root, std::string_view name) {
  try {
    os::FileReader reader(root.open(name, O_RDONLY | O_NONBLOCK));
    if (!S_ISREG(os::stat_of(reader.fd()).st_mode)) return "";
    return io::read_all(reader, max_account_file, name);
  } catch (const Error& error) {
    // Links without end, and what is no directory, are as good as nothing.
    if (error.kind() == Kind::not_found || error.kind() == Kind::system) return "";
    throw;
  }
}

using Fields = std::vector<std::string_view>;

Fields split_fields(std::string_view line, char separator) {
  Fields result;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(separator, begin), line.size());
    result.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

// Until `fn` returns true.
void each_account(std::string_view text, std::size_t fields, const std::function<bool(const Fields&)>& fn) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const Fields entry = split_fields(text.substr(begin, end - begin), ':');
    begin = end + 1;
    if (entry.size() >= fields && fn(entry)) return;
  }
}

}  // namespace

std::uint32_t find_group(const os::Root& root, std::string_view group) {
  std::optional<std::uint32_t> gid;
  const std::string text = account_file(root, "etc/group");
  each_account(text, 3, [&](const Fields& entry) {
    if (entry[0] == group) gid = id_number(entry[2]);
    return gid.has_value();
  });
  if (!gid) gid = id_number(group);
  if (!gid)
    throw Error(Kind::invalid_input,
                fmt::format("group: unknown group error looking up group \"{}\"", group));
  return *gid;
}

ContainerUser find_user(const os::Root& root, std::string_view spec) {
  const std::size_t colon = spec.find(':');
  const std::string_view user = spec.substr(0, colon);
  const std::string_view group =
      colon == std::string_view::npos ? std::string_view() : spec.substr(colon + 1);
  ContainerUser result;
  const auto number = user.empty() ? std::optional<std::uint32_t>(0) : id_number(user);
  bool found = false;
  const std::string passwd = account_file(root, "etc/passwd");
  each_account(passwd, 4, [&](const Fields& entry) {
    const auto uid = id_number(entry[2]), gid = id_number(entry[3]);
    if (!uid || !gid || (entry[0] != user && uid != number)) return false;
    result.uid = *uid;
    result.gid = *gid;
    result.name = entry[0];
    if (entry.size() > 5) result.home = entry[5];
    return found = true;
  });
  if (!found && number) result.uid = *number;
  if (!found && !number)
    throw Error(Kind::invalid_input, fmt::format("user: unknown user error looking up user \"{}\"", user));
  if (!group.empty()) {
    result.gid = find_group(root, group);
    return result;
  }
  if (result.name.empty()) return result;
  const std::string groups = account_file(root, "etc/group");
  each_account(groups, 4, [&](const Fields& entry) {
    const auto gid = id_number(entry[2]);
    const auto members = split_fields(entry[3], ',');
    if (gid && std::ranges::find(members, result.name) != members.end()) result.other_groups.push_back(*gid);
    return false;
  });
  return result;
}

}  // namespace lade::build
