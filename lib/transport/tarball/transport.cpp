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
  explicit TarballReference(std::string_view rest) : rest_(rest), files_(split(rest)) {
    check_readable(files_);
  }

  std::string_view transport() const override { return "tarball"; }
  std::string rest() const override { return rest_; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return tarball::open_source(context, files_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options&) const override {
    throw Error(Kind::unsupported, "\"tarball:\" locations can only be read from, not written to");
  }

 private:
  std::string rest_;
  std::vector<std::string> files_;
};

class TarballTransport final : public Transport {
 public:
  std::string_view name() const override { return "tarball"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<TarballReference>(rest);
  }
};

}  // namespace

const Transport& tarball_transport() {
  static const TarballTransport transport;
  return transport;
}

}  // namespace lade::transport
