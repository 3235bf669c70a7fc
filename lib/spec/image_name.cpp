#include "spec/image_name.hpp"

#include "base/error.hpp"

namespace lade::spec {

ImageName ImageName::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    throw Error(Kind::invalid_input, "Invalid image name \"" + std::string(text) +
                                         "\", expected colon-separated transport:reference");
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

}  // namespace lade::spec
