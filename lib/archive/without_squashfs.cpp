#include "archive/squashfs.hpp"
#include "base/error.hpp"

namespace lade::archive {

void squashfs_to_tar(const Context&, const std::shared_ptr<const os::UniqueFd>&, std::uint64_t, std::uint64_t,
                     const std::set<std::string>&, TarWriter&) {
  throw Error(Kind::unsupported, "this lade was built without libsquashfs and cannot read squashfs images");
}

}  // namespace lade::archive
