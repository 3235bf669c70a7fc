// Names that stand for what is not there (OCI image-spec, layer.md "Whiteouts").
#pragma once

#include <string_view>

namespace lade::layer {

inline constexpr std::string_view whiteout_prefix = ".wh.";
inline constexpr std::string_view opaque_whiteout = ".wh..wh..opq";
// Of aufs' own files, which mean nothing here; opaque_whiteout has it too.
inline constexpr std::string_view whiteout_meta_prefix = ".wh..wh.";

inline bool is_whiteout(std::string_view name) {
  return name.starts_with(whiteout_prefix);
}

// "" for a name without '/'.
inline std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

inline std::string_view base_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace lade::layer
