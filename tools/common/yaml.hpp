// JSON values as YAML, as Go's yaml package writes them.
#pragma once

#include <string>

#include "spec/json.hpp"

namespace lade::common {

// Members sorted by name, lists not indented below their key; a newline at the end.
std::string dump_yaml(const spec::Json& value);

}  // namespace lade::common
