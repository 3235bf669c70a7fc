// Any bytes as a layer, unpacked in memory (/dev/shm): nothing beside its directory changes, what was
// unpacked can be read as a tar again, and if the whole was a tar, its tar-split gives it back.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "archive/tar_block.hpp"
#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "layer/apply.hpp"
#include "layer/diff.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "tar_checksums.hpp"

namespace {

using namespace lade;
namespace fs = std::filesystem;

class Text final : public io::Writer {
 public:
  void write(io::Bytes data) override { text += io::as_text(data); }
  std::string text;
};

void check_assembled(const fs::path& directory, const std::string& tar_split, const std::string& tar) {
  archive::TarSplitReader reader(io::make_text_reader(tar_split),
                                 archive::open_in_roots({std::make_shared<const os::Root>(directory)}));
  if (io::read_all(reader, tar.size() + 1, "tar") != tar) std::abort();
}

void check_diff(const os::UniqueFd& directory) {
  const Context context = background();
  try {
    io::drain(*layer::diff(context, directory, {}));
  } catch (const Error&) {
  }
}

void apply(const fs::path& parent, const std::string& tar, layer::Whiteouts whiteouts) {
  fs::create_directory(parent / "diff");
  const auto directory = os::open_file(parent / "diff", O_RDONLY | O_DIRECTORY);
  const auto reader = io::make_text_reader(tar);
  Text tar_split;
  layer::ApplyOptions options;
  options.whiteouts = whiteouts;
  options.opaque_xattr = "user.overlay.opaque";
  options.rootless = true;
  options.ignore_chown_errors = true;
  options.max_size = 1 << 20;
  options.max_entries = 64;
  options.tar_split = &tar_split;
  bool applied = false;
  try {
    layer::apply(background(), *reader, directory, options);
    applied = true;
  } catch (const Error&) {
  }
  if (applied) check_assembled(parent / "diff", tar_split.text, tar);
  check_diff(directory);
}

void try_layer(const std::string& tar) {
  for (const auto whiteouts :
       {layer::Whiteouts::overlay, layer::Whiteouts::files, layer::Whiteouts::remove}) {
    const os::TempDir parent("/dev/shm", "lade-fuzz-");
    os::write_file(parent.path() / "outside", "secret");
    apply(parent.path(), tar, whiteouts);
    std::size_t names = 0;
    for (const auto& entry : fs::directory_iterator(parent.path())) names += entry.exists() ? 1 : 0;
    if (names != 2 || os::read_file(parent.path() / "outside", 100) != "secret") std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_layer(fuzz::with_checksums({reinterpret_cast<const char*>(data), size}));
  return 0;
}
