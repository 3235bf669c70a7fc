// A machine of its own for tests of configuration files.
#pragma once

#include <string>

#include "config/environment.hpp"
#include "support/temp_dir.hpp"

namespace lade::test {

// Home is <directory>/home, everything else of the system is below <directory>/root.
struct Machine {
  Directory directory;
  config::Environment environment{
      {{"XDG_RUNTIME_DIR", (directory / "run").string()}}, directory / "home", 1000, directory / "root"};

  void write(const std::string& name, std::string_view text) const { directory.write(name, text); }
  std::string path(const std::string& name) const { return (directory / name).string(); }
  void set(const std::string& variable, const std::string& value) { environment.variables[variable] = value; }
};

}  // namespace lade::test
