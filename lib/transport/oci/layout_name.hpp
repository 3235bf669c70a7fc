// Which image of which layout: what follows "oci:" and "oci-archive:".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lade::transport::oci {

struct LayoutName {
  std::string path;
  std::string image;                 // "": the only one, or one without a name
  std::optional<std::size_t> index;  // position in index.json; then image is ""

  std::string str() const;
};

// The path ends at the first ':'. Kind::invalid_input "Invalid image X", "Invalid source index @X: ...".
LayoutName parse_layout_name(std::string_view text, bool with_index);

}  // namespace lade::transport::oci
