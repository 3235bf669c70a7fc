#include "copy/spool.hpp"

#include <memory>

#include "io/readers.hpp"
#include "os/file.hpp"

namespace lade::copy {

transport::BlobInfo put_spooled(Session& session, const Context& context, io::Reader& data,
                                const transport::PutBlob& put) {
  os::FileWriter file(os::open_unnamed(session.options.destination.big_files_dir));
  io::DigestingReader digesting(data);
  io::copy(digesting, file);
  const std::uint64_t size = digesting.count();
  const spec::Digest digest = digesting.finish();
  if (session.destination.find_blob(context, digest)) return {digest, size};

  transport::PutBlob known = put;
  known.digest = digest;
  known.size = size;
  os::RangeReader again(std::make_shared<const os::UniqueFd>(os::duplicate(file.fd().get())), 0, size);
  return session.destination.put_blob(context, known, again);
}

}  // namespace lade::copy
