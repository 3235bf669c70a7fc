#include "transport/transport.hpp"

namespace lade::transport {

namespace {

[[noreturn]] void unsupported(const ImageReference& reference, std::string_view what) {
  throw Error(Kind::unsupported,
              std::string(reference.transport()) + ": images cannot be " + std::string(what));
}

}  // namespace

std::unique_ptr<ImageSource> ImageReference::open_source(const Context&, const Options&) const {
  unsupported(*this, "read");
}

std::unique_ptr<ImageDestination> ImageReference::open_destination(const Context&, const Options&) const {
  unsupported(*this, "written");
}

void ImageReference::remove(const Context&, const Options&) const {
  throw Error(Kind::unsupported,
              "Deleting images not implemented for " + std::string(transport()) + ": images");
}

}  // namespace lade::transport
