#pragma once

#include <string_view>

namespace lade::layer {

// Before the name of an extended attribute, in a pax record (star, and all container engines).
inline constexpr std::string_view xattr_record = "SCHILY.xattr.";

// Attributes that mean something to the host and not to the layer: markers of overlay file systems, with
// which a layer could hide or redirect what is below it, and labels.
inline bool is_foreign_xattr(std::string_view name) {
  for (const std::string_view prefix :
       {"trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.", "user.containers."})
    if (name.starts_with(prefix)) return true;
  return name == "security.selinux";
}

}  // namespace lade::layer
