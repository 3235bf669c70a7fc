#include <algorithm>

#include "os/unique_fd.hpp"
#include "transport/tarball/source.hpp"
#include "transport/tarball/tarball.hpp"

namespace lade::transport {

namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(':', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void check_readable(const std::vector<std::string>& files) {
  for (const auto& file : files) {
    if (file == tarball::standard_input) continue;
    in_context([&] { return "error opening \"" + file + "\""; },
               [&] { const auto probe = os::open_file(file, O_RDONLY); });
  }
}

class TarballReference final : public ImageReference {
 public:
  TarballReference(std::string rest, std::vector<std::string> files, TarballConfig config = {})
      : rest_(std::move(rest)), files_(std::move(files)), config_(std::move(config)) {
    check_readable(files_);
  }

  std::string_view transport() const override { return "tarball"; }
  std::string rest() const override { return rest_; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return tarball::open_source(context, files_, config_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options&) const override {
    throw Error(Kind::unsupported, "\"tarball:\" locations can only be read from, not written to");
  }

 private:
  std::string rest_;
  std::vector<std::string> files_;
  TarballConfig config_;
};

class TarballTransport final : public Transport {
 public:
  std::string_view name() const override { return "tarball"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<TarballReference>(std::string(rest), split(rest));
  }
};

}  // namespace

const Transport& tarball_transport() {
  static const TarballTransport transport;
  return transport;
}

std::unique_ptr<ImageReference> tarball_image(const std::string& path, TarballConfig config) {
  return std::make_unique<TarballReference>(path, std::vector{path}, std::move(config));
}

}  // namespace lade::transport
