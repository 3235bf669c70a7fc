#include "transport/local_path.hpp"
#include "transport/sif/sif.hpp"
#include "transport/sif/source.hpp"

namespace lade::transport {

namespace {

class SifReference final : public ImageReference {
 public:
  explicit SifReference(std::string_view path) : path_(path), resolved_(resolve_path(path_)) {}

  std::string_view transport() const override { return "sif"; }
  std::string rest() const override { return path_; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return sif::open_source(context, path_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options&) const override {
    throw Error(Kind::unsupported, "\"sif:\" locations can only be read from, not written to");
  }

  std::string policy_identity() const override { return resolved_; }
  std::vector<std::string> policy_scopes() const override { return path_scopes(resolved_, false); }

 private:
  std::string path_;      // as typed
  std::string resolved_;  // at the time of parsing
};

class SifTransport final : public Transport {
 public:
  std::string_view name() const override { return "sif"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<SifReference>(rest);
  }
};

}  // namespace

const Transport& sif_transport() {
  static const SifTransport transport;
  return transport;
}

}  // namespace lade::transport
