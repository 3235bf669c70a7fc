// SIF files and the squashfs images in them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "archive/squashfs.hpp"
#include "base/error.hpp"
#include "transport/sif/definition.hpp"
#include "transport/sif/sif_file.hpp"

namespace {

class Nowhere final : public lade::io::Writer {
 public:
  void write(lade::io::Bytes) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lade;
  auto file = std::make_shared<const os::UniqueFd>(::memfd_create("fuzz", MFD_CLOEXEC));
  if (::write(file->get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  Nowhere nowhere;
  archive::TarWriter tar(nowhere);
  try {
    archive::squashfs_to_tar(background(), file, 0, size, {}, tar);
  } catch (const Error&) {
  }
  try {
    transport::sif::SifFile::open("/proc/self/fd/" + std::to_string(file->get()));
  } catch (const Error&) {
  }
  transport::sif::Definition::parse({reinterpret_cast<const char*>(data), size}).script();
  return 0;
}
