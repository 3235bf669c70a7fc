// The short names that a person has chosen a registry for: short-name-aliases.conf, which podman and buildah
// write too (containers-registries.conf(5), "SHORT-NAME ALIASING").
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/context.hpp"
#include "config/environment.hpp"

namespace lade::config {

// /var/cache/containers/short-name-aliases.conf for root, else in the user's cache; "" without a home.
// `given`: --short-name-alias-conf, "" if not given.
std::filesystem::path short_name_aliases_path(const Environment& environment, const std::string& given = "");

// Short name -> full name, or "" where an alias of another file is not to count. None if there is no file.
// Kind::invalid_input for a malformed one.
std::map<std::string, std::string> load_short_name_aliases(const Context& context,
                                                           const std::filesystem::path& path);

// Replaces the alias `name`, creating the file and its directory. `name` and `value` MUST be without tag and
// digest, and `value` with a registry.
void add_short_name_alias(const Context& context, const std::filesystem::path& path, const std::string& name,
                          const std::string& value);

}  // namespace lade::config
