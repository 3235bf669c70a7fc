#include "transport/dir/dir.hpp"
#include "transport/dir/layout.hpp"
#include "transport/local_path.hpp"

namespace lade::transport {

namespace {

class DirReference final : public ImageReference {
 public:
  explicit DirReference(std::string_view path) : path_(path), resolved_(resolve_path(path_)) {}

  std::string_view transport() const override { return "dir"; }
  std::string rest() const override { return path_; }

  std::unique_ptr<ImageSource> open_source(const Context&, const Options&) const override {
    return dir::open_source(path_);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options& options) const override {
    return dir::open_destination(resolved_, options);
  }

  std::string policy_identity() const override { return resolved_; }
  std::vector<std::string> policy_scopes() const override { return path_scopes(resolved_, false); }

 private:
  std::string path_;      // as typed
  std::string resolved_;  // at the time of parsing
};

class DirTransport final : public Transport {
 public:
  std::string_view name() const override { return "dir"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<DirReference>(rest);
  }
};

}  // namespace

const Transport& dir_transport() {
  static const DirTransport transport;
  return transport;
}

}  // namespace lade::transport
