// What a definition file says about running the image (apptainer's user guide, "Definition files").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::transport::sif {

struct Definition {
  std::vector<std::string> environment;  // lines of %environment, without comments
  std::vector<std::string> runscript;    // lines of %runscript

  static Definition parse(std::string_view text);
  bool says_nothing() const { return environment.empty() && runscript.empty(); }
  // One script that does both.
  std::string script() const;
};

}  // namespace lade::transport::sif
