// What podman's users ask as its version.
#pragma once

#include "common/template/value.hpp"
#include "spec/json.hpp"

namespace lade::podman {

// Members in podman's order.
spec::Json version_json();

namespace version_details {
using common::gotemplate::GoField;
inline constexpr GoField fields[] = {
    {"APIVersion", "APIVersion", &common::gotemplate::string_type},
    {"Version", "Version", &common::gotemplate::string_type},
    {"GoVersion", "GoVersion", &common::gotemplate::string_type},
    {"GitCommit", "GitCommit", &common::gotemplate::string_type},
    {"BuiltTime", "BuiltTime", &common::gotemplate::string_type},
    {"Built", "Built", &common::gotemplate::integer_type},
    {"BuildOrigin", "BuildOrigin", &common::gotemplate::string_type},
    {"OsArch", "OsArch", &common::gotemplate::string_type},
    {"Os", "Os", &common::gotemplate::string_type},
};
}  // namespace version_details
inline constexpr common::gotemplate::GoType version_type{common::gotemplate::Shape::structure,
                                                         "*define.Version", nullptr, version_details::fields};

}  // namespace lade::podman
