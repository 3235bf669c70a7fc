// The options of the manifest commands.
#pragma once

#include <vector>

#include "common/option.hpp"

namespace lade::engines {

std::vector<common::Option> podman_create_options();
std::vector<common::Option> buildah_create_options();
std::vector<common::Option> list_add_options();
std::vector<common::Option> list_annotate_options();
std::vector<common::Option> list_inspect_options();
std::vector<common::Option> list_push_options();
std::vector<common::Option> podman_rm_options();

}  // namespace lade::engines
