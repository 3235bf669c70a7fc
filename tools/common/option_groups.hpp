// Options that many commands share, with the names the peers gave them.
#pragma once

#include <string>
#include <vector>

#include "common/option.hpp"

namespace lade::common {

// How one image is reached: credentials, TLS, blob directory. `prefix` is "", "src-" or "dest-".
std::vector<Option> image_options(const std::string& prefix);

// The same without what only images have: a repository or a registry.
std::vector<Option> registry_options(const std::string& prefix);

// --authfile
Option authfile_option();

// --retry-times, --retry-delay
std::vector<Option> retry_option_group();

// --override-os, --override-arch, --override-variant
std::vector<Option> platform_options();

// --policy, --insecure-policy, --require-signed
std::vector<Option> policy_options();

}  // namespace lade::common
