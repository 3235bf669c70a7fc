#include "build/volumes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "io/digester.hpp"

namespace lade::build {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 24> passed_options = {
    "shared",     "rshared",  "slave",    "rslave",     "private", "rprivate", "unbindable",  "runbindable",
    "noexec",     "exec",     "nosuid",   "suid",       "nodev",   "dev",      "noatime",     "atime",
    "nodiratime", "diratime", "relatime", "norelatime", "sync",    "async",    "nosymfollow", "symfollow"};
constexpr std::array<std::string_view, 6> propagations = {"shared", "rshared", "slave",
                                                          "rslave", "private", "rprivate"};
constexpr std::size_t cache_name_digits = 16;

template <class List>
bool is_one_of(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

[[noreturn]] void refuse_volume(std::string text) {
  throw Error(Kind::invalid_input, std::move(text));
}

// At ':' that no backslash stands before.
std::vector<std::string> split_volume(const std::string& text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ':')
      parts.back() += text[++i];
    else if (text[i] == ':')
      parts.emplace_back();
    else
      parts.back() += text[i];
  }
  return parts;
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// What bind mounts have if nobody says otherwise.
void complete_options(VolumeMount& mount) {
  const auto has = [&](std::string_view word) { return is_one_of(mount.options, word); };
  if (!has("bind") && !has("rbind")) mount.options.insert(mount.options.begin(), "rbind");
  const bool propagates =
      std::ranges::any_of(mount.options, [](const std::string& o) { return is_one_of(propagations, o); });
  if (!propagates) mount.options.push_back("rprivate");
}

void take_volume_option(VolumeMount& mount, const std::string& option, const std::string& text) {
  if (option == "rw" || option == "ro" || option == "bind" || option == "rbind" ||
      is_one_of(passed_options, option)) {
    mount.options.push_back(option);
  } else if (option == "O") {
    mount.overlay = true;
  } else if (option == "U") {
    mount.chown = true;
  } else if (option == "z") {
    mount.relabel_shared = true;
  } else if (option == "Z") {
    mount.relabel_private = true;
  } else if (option.starts_with("upperdir=")) {
    mount.upper = option.substr(9);
  } else if (option.starts_with("workdir=")) {
    mount.work = option.substr(8);
  } else if (option != "copy" && option != "nocopy") {
    refuse_volume(fmt::format("invalid bind mount option \"{}\" in \"{}\"", option, text));
  }
}

std::uint32_t number_in(const std::string& key, const std::string& value, int base) {
  std::uint32_t number = 0;
  const auto result = std::from_chars(value.data(), value.data() + value.size(), number, base);
  if (value.empty() || result.ec != std::errc() || result.ptr != value.data() + value.size())
    refuse_volume(fmt::format("unable to parse value \"{}\" of {}", value, key));
  return number;
}

bool truth_of(const std::string& key, const std::string& value) {
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  refuse_volume(fmt::format("unable to parse value \"{}\" of {}", value, key));
}

// One "key=value" of --mount; false if the type has no such key.
class MountParser {
 public:
  MountParser(VolumeMount& mount, std::string working_directory)
      : mount_(mount), working_directory_(std::move(working_directory)) {}

  bool take(const std::string& key, const std::string& value) {
    if (key == "target" || key == "dst" || key == "destination") return take_target(value);
    if (mount_.type == VolumeMount::Type::tmpfs) return take_tmpfs(key, value);
    if (key == "source" || key == "src") return mount_.source = value, true;
    if (key == "from") return mount_.from = value, true;
    if (key == "ro" || key == "readonly") return set_read_only(truth_of(key, value));
    if (key == "rw" || key == "readwrite") return set_read_only(!truth_of(key, value));
    if (key == "z") return mount_.relabel_shared = true, true;
    if (key == "Z") return mount_.relabel_private = true, true;
    if (key == "U" || key == "chown") return mount_.chown = truth_of(key, value), true;
    if (key == "bind-propagation") return take_propagation(value);
    if (is_one_of(passed_options, key) && value.empty()) return mount_.options.push_back(key), true;
    return mount_.type == VolumeMount::Type::cache ? take_cache(key, value) : take_bind(key, value);
  }

  std::optional<bool> read_only;

 private:
  bool set_read_only(bool value) {
    read_only = value;
    return true;
  }

  bool take_target(const std::string& value) {
    mount_.destination = value.starts_with('/')
                             ? value
                             : (fs::path("/" + working_directory_) / value).lexically_normal().string();
    return true;
  }

  bool take_propagation(const std::string& value) {
    if (!is_one_of(propagations, value))
      refuse_volume(fmt::format("invalid mount propagation \"{}\"", value));
    mount_.options.push_back(value);
    return true;
  }

  bool take_tmpfs(const std::string& key, const std::string& value) {
    if (key == "tmpfs-size")
      mount_.options.push_back("size=" + value);
    else if (key == "tmpfs-mode")
      mount_.options.push_back("mode=" + value);
    else if (key == "tmpcopyup")
      mount_.options.push_back(key);
    else if (key == "ro" || key == "readonly")
      mount_.options.push_back("ro");
    else if (is_one_of(passed_options, key) && value.empty())
      mount_.options.push_back(key);
    else
      return false;
    return true;
  }

  bool take_bind(const std::string& key, const std::string& value) {
    if (key == "bind-nonrecursive")
      return mount_.options.push_back(truth_of(key, value) ? "bind" : "rbind"), true;
    if (key == "relabel") {
      if (value != "shared" && value != "private")
        refuse_volume(fmt::format("invalid value \"{}\" of relabel", value));
      (value == "shared" ? mount_.relabel_shared : mount_.relabel_private) = true;
      return true;
    }
    return false;
  }

  bool take_cache(const std::string& key, const std::string& value) {
    if (key == "id")
      mount_.id = value;
    else if (key == "mode")
      mount_.mode = number_in(key, value, 8);
    else if (key == "uid")
      mount_.uid = number_in(key, value, 10);
    else if (key == "gid")
      mount_.gid = number_in(key, value, 10);
    else if (key == "sharing" && (value == "shared" || value == "locked"))
      mount_.locked = value == "locked";
    else if (key == "sharing")
      refuse_volume(fmt::format("unrecognized value \"{}\" for field \"sharing\"", value));
    else
      return false;
    return true;
  }

  VolumeMount& mount_;
  std::string working_directory_;
};

VolumeMount::Type mount_type(const std::vector<std::string>& parts) {
  for (const auto& part : parts) {
    if (!part.starts_with("type=")) continue;
    const std::string type = part.substr(5);
    if (type == "bind") return VolumeMount::Type::bind;
    if (type == "cache") return VolumeMount::Type::cache;
    if (type == "tmpfs") return VolumeMount::Type::tmpfs;
    refuse_volume(fmt::format("invalid filesystem type \"{}\"", type));
  }
  return VolumeMount::Type::bind;
}

}  // namespace

VolumeMount parse_volume(const std::string& text) {
  const auto parts = split_volume(text);
  if (parts.size() < 2 || parts.size() > 3)
    refuse_volume(fmt::format("incorrect volume format \"{}\", should be host-dir:ctr-dir[:option]", text));
  if (!parts[0].starts_with('/'))
    refuse_volume(fmt::format("invalid host path, must be an absolute path \"{}\"", parts[0]));
  if (!parts[1].starts_with('/'))
    refuse_volume(fmt::format("invalid container path \"{}\": must be an absolute path", parts[1]));
  VolumeMount mount;
  mount.source = parts[0];
  mount.destination = fs::path(parts[1]).lexically_normal();
  if (parts.size() == 3)
    for (const auto& option : split_commas(parts[2])) take_volume_option(mount, option, text);
  if (!mount.upper.empty() && mount.work.empty())
    refuse_volume("must specify both upperdir and workdir of an overlay volume");
  complete_options(mount);
  return mount;
}

VolumeMount parse_mount(const std::string& text, const fs::path& context_directory,
                        const std::string& working_directory) {
  const auto parts = split_commas(text);
  VolumeMount mount;
  mount.type = mount_type(parts);
  MountParser parser(mount, working_directory);
  for (const auto& part : parts) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    if (key == "type") continue;
    if (!parser.take(key, value))
      refuse_volume(fmt::format("unrecognized mount option \"{}\": invalid mount option", key));
  }
  if (mount.destination.empty()) refuse_volume("must set volume destination");
  if (mount.type == VolumeMount::Type::tmpfs) return mount;
  if (mount.type == VolumeMount::Type::bind) {
    if (mount.from.empty()) {
      fs::path source = mount.source;
      if (source.is_relative() && !context_directory.empty()) source = context_directory / source;
      mount.source = fs::absolute(source).lexically_normal();
    }
    // Writes do not reach what is mounted.
    if (parser.read_only.value_or(true))
      mount.options.push_back("ro");
    else
      mount.overlay = true;
  } else if (parser.read_only.value_or(false)) {
    mount.options.push_back("ro");
  }
  complete_options(mount);
  return mount;
}

fs::path cache_directory(const VolumeMount& mount, const fs::path& temporary, unsigned user) {
  const std::string key =
      fmt::format("{}:{}:{}", mount.id.empty() ? mount.destination : mount.id, mount.uid, mount.gid);
  return temporary / fmt::format("buildah-cache-{}", user) /
         io::digest_of(key).hex().substr(0, cache_name_digits);
}

}  // namespace lade::build
