#include "transport/local_path.hpp"
#include "transport/oci_archive/archive.hpp"
#include "transport/oci_archive/oci_archive.hpp"

namespace lade::transport {

namespace {

class OciArchiveReference final : public ImageReference {
 public:
  explicit OciArchiveReference(oci::LayoutName name)
      : name_(std::move(name)), resolved_(resolve_path(name_.path)) {}

  std::string_view transport() const override { return "oci-archive"; }
  std::string rest() const override { return name_.str(); }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return oci_archive::open_source(context, name_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options& options) const override {
    return oci_archive::open_destination(name_, options);
  }

  std::string policy_identity() const override { return resolved_; }
  std::vector<std::string> policy_scopes() const override { return path_scopes(resolved_, true); }

 private:
  oci::LayoutName name_;
  std::string resolved_;  // at the time of parsing
};

class OciArchiveTransport final : public Transport {
 public:
  std::string_view name() const override { return "oci-archive"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<OciArchiveReference>(oci::parse_layout_name(rest, false));
  }
};

}  // namespace

const Transport& oci_archive_transport() {
  static const OciArchiveTransport transport;
  return transport;
}

}  // namespace lade::transport
