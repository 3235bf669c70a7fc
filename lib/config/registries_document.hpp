// One file in the format of registries.conf, checked by itself; RegistriesConf joins several.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/registries_conf.hpp"

namespace lade::config {

// Absent keys are nullopt: they leave what earlier files said.
struct RegistriesDocument {
  std::vector<RegistryEntry> registries;      // normalised; of one prefix only the first
  std::map<std::string, std::string> places;  // prefix -> "<file>:<line>"
  std::optional<std::vector<std::string>> search;
  std::optional<std::vector<std::string>> credential_helpers;
  std::optional<ShortNameMode> short_name_mode;
  std::map<std::string, std::string> aliases;  // "" takes an earlier file's alias away
  std::vector<std::string> warnings;
};

RegistriesDocument parse_registries(std::string_view text, const std::string& file);

}  // namespace lade::config
