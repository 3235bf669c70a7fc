#include "transport/local_path.hpp"
#include "transport/oci/layout.hpp"
#include "transport/oci/oci.hpp"

namespace lade::transport {

namespace {

class OciReference final : public ImageReference {
 public:
  explicit OciReference(oci::LayoutName name) : name_(std::move(name)), resolved_(resolve_path(name_.path)) {}

  std::string_view transport() const override { return "oci"; }
  std::string rest() const override { return name_.str(); }

  std::unique_ptr<ImageSource> open_source(const Context&, const Options& options) const override {
    return oci::make_layout_source(
        std::make_unique<oci::LayoutDirectory>(name_.path, options.shared_blob_dir), name_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options& options) const override {
    return oci::open_destination(name_, options);
  }
  void remove(const Context& context, const Options& options) const override {
    oci::remove_image(context, name_, options);
  }

  // The name is no part of the identity: "DIR:" and "DIR:NAME" may be the same image.
  std::string policy_identity() const override { return resolved_; }
  std::vector<std::string> policy_scopes() const override { return path_scopes(resolved_, true); }

 private:
  oci::LayoutName name_;
  std::string resolved_;  // at the time of parsing
};

class OciTransport final : public Transport {
 public:
  std::string_view name() const override { return "oci"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<OciReference>(oci::parse_layout_name(rest, true));
  }
};

}  // namespace

const Transport& oci_transport() {
  static const OciTransport transport;
  return transport;
}

}  // namespace lade::transport
