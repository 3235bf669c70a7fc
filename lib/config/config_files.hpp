// The search that registries.conf, policy.json and storage.conf share: a main file of the user's, /etc's or
// /usr/share's, then drop-in files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.hpp"

namespace lade::config {

inline constexpr std::uint64_t max_config_file_size = 4 * 1024 * 1024;

// A family of configuration files.
struct ConfigFamily {
  std::string_view name;       // "registries"
  std::string_view extension;  // "conf"
  std::string_view variable;   // "CONTAINERS_REGISTRIES_CONF"; names the only main file
  bool drop_ins = true;        // <name>.<extension>.d/*.<extension>, and the variable's _OVERRIDE
};

struct ConfigPaths {
  // The first that exists is the main file; with main_required there is one and it MUST exist.
  std::vector<std::filesystem::path> main;
  bool main_required = false;
  // Highest precedence first: of files of one base name only the first counts.
  std::vector<std::filesystem::path> drop_in_directories;
  std::string drop_in_extension;  // ".conf"
  std::filesystem::path last;     // of the _OVERRIDE variable, MUST exist; "" if none
};

// `path`: from the command line, "" if not given. It wins over the variable, and drop-ins are still read.
ConfigPaths config_paths(const Environment& environment, const ConfigFamily& family, const std::string& path);

struct ConfigText {
  std::string path;
  std::string text;
};

// The files that exist, in the order in which later ones override earlier ones. A file that exists and cannot
// be read throws.
std::vector<ConfigText> read_config_files(const ConfigPaths& paths);

}  // namespace lade::config
