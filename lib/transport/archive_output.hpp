// Archives that hold images, while they are written: one pass, nothing unpacked beside.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "archive/tar_writer.hpp"
#include "base/context.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

class ArchiveOutput {
 public:
  // A file is written under a temporary name beside `path` and appears with finish(). What is no regular file
  // (a pipe, a device) is written to directly. Blobs of unknown size wait in `spool_dir` in that case.
  ArchiveOutput(const std::string& path, std::string spool_dir);
  // Into a stream, as into a pipe.
  ArchiveOutput(io::Writer& stream, std::string spool_dir);

  void add(const archive::TarHeader& header, std::string_view text) { tar().add(header, text); }

  // One member. `header_of` makes its header, but for the size, once the digest is known; nullopt: the
  // archive has it already. Bytes that do not match throw Kind::integrity and leave no trace in a file; what
  // went into a pipe cannot be taken back, and every later call throws.
  using HeaderOf = std::function<std::optional<archive::TarHeader>(const spec::Digest&)>;
  BlobInfo add_blob(const Context& context, const PutBlob& blob, io::Reader& data, const HeaderOf& header_of);

  void finish();

 private:
  archive::TarWriter& tar();
  BlobInfo add_known(const Context& context, const PutBlob& blob, io::Reader& data,
                     const HeaderOf& header_of);
  BlobInfo add_unknown(const Context& context, const PutBlob& blob, io::Reader& data,
                       const HeaderOf& header_of);
  BlobInfo add_spooled(const Context& context, const PutBlob& blob, io::Reader& data,
                       const HeaderOf& header_of);
  void cut_back(std::uint64_t offset) noexcept;

  std::string path_;
  std::string spool_dir_;
  std::optional<os::AtomicFile> file_;
  std::optional<os::FileWriter> stream_;
  std::optional<archive::TarWriter> tar_;
  bool broken_ = false;
};

}  // namespace lade::transport
