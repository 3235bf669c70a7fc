// The one place that knows cxxopts: it gathers values that the normaliser has already brought into one form.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/option.hpp"

namespace lade::common {

struct GivenValue {
  std::string name;
  std::string value;
};

// All values of each option, in order. Every name in `given` MUST be in the table.
std::map<std::string, std::vector<std::string>> collect_values(std::span<const Option> options,
                                                               std::span<const GivenValue> given);

}  // namespace lade::common
