#include "os/file.hpp"
#include "spec/json.hpp"
#include "transport/dir/layout.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/signature_format.hpp"

namespace lade::transport::dir {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_signatures = 1000;

// Every call opens its own file, so that any number may run at once.
class Source final : public ImageSource, private SignatureSource {
 public:
  explicit Source(fs::path directory) : directory_(std::move(directory)) {
    // Directories made by hand, or by an interrupted older program, have no version.
    const auto text = os::find_file(directory_ / version_file, 1024);
    if (!text) return;
    const auto version = parse_version(*text);
    if (!version) throw Error(Kind::invalid_input, "invalid version file content: " + spec::dump_json(*text));
    check_version(*version, directory_.string());
  }

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>& instance) override {
    const auto path = directory_ / manifest_file_of(instance);
    return make_raw_manifest(os::read_file(path, spec::max_manifest_size), "", instance);
  }

  Blob blob(const Context&, const spec::Descriptor& blob) override {
    auto file = std::make_unique<os::FileReader>(directory_ / blob_file(blob.digest));
    const auto size = static_cast<std::uint64_t>(os::stat_of(file->fd()).st_size);
    return {std::move(file), size};
  }

  SignatureSource* signature_source() override { return this; }

 private:
  std::vector<std::string> signatures(const Context&, const std::optional<spec::Digest>& instance) override {
    std::vector<std::string> result;
    std::size_t total = 0;
    while (true) {
      const auto path = directory_ / signature_file_of(instance, result.size() + 1);
      auto signature = os::find_file(path, max_signature_size);
      if (!signature) return result;
      total += signature->size();
      if (result.size() == max_signatures || total > max_signatures_size) {
        throw Error(Kind::invalid_input, "more signatures than anyone needs in " + directory_.string());
      }
      in_context([&] { return "parsing signature " + spec::dump_json(path.string()); },
                 [&] { check_signature_format(*signature); });
      result.push_back(std::move(*signature));
    }
  }

  fs::path directory_;
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const std::string& directory) {
  return std::make_unique<Source>(directory);
}

}  // namespace lade::transport::dir
