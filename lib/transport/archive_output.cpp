#include "transport/archive_output.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/scope_exit.hpp"
#include "io/writers.hpp"
#include "transport/local_path.hpp"
#include "transport/verified_copy.hpp"

namespace lade::transport {

namespace {

namespace fs = std::filesystem;

bool is_stream(const fs::path& path) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status);
}

void put_at(const os::UniqueFd& file, std::uint64_t offset, const archive::TarBlock& block) {
  const auto n = ::pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(offset));
  if (n < 0) throw Error::from_errno(errno, "write");
  if (static_cast<std::size_t>(n) != block.size()) throw Error(Kind::system, "short write of a tar header");
}

}  // namespace

ArchiveOutput::ArchiveOutput(const std::string& path, std::string spool_dir)
    : path_(path), spool_dir_(std::move(spool_dir)) {
  in_context([&] { return "opening file \"" + path + "\""; },
             [&] {
               if (is_stream(path)) {
                 stream_.emplace(os::open_file(path, O_WRONLY));
                 tar_.emplace(*stream_);
                 return;
               }
               const fs::path target(resolve_path(path));
               path_ = target.string();
               file_.emplace(target.parent_path(), "." + target.filename().string() + ".");
               tar_.emplace(*file_);
             });
}

ArchiveOutput::ArchiveOutput(io::Writer& stream, std::string spool_dir) : spool_dir_(std::move(spool_dir)) {
  tar_.emplace(stream);
}

archive::TarWriter& ArchiveOutput::tar() {
  if (broken_) throw Error(Kind::system, "the archive is incomplete because an earlier blob failed");
  return *tar_;
}

BlobInfo ArchiveOutput::add_blob(const Context& context, const PutBlob& blob, io::Reader& data,
                                 const HeaderOf& header_of) {
  tar().end_member();
  if (blob.digest && !header_of(*blob.digest)) {
    io::NullWriter nowhere;
    return copy_verified(context, blob, data, nowhere);
  }
  ScopeExit undo([this, offset = tar_->offset()] { cut_back(offset); });
  const bool known = blob.digest && blob.size;
  const BlobInfo info = known   ? add_known(context, blob, data, header_of)
                        : file_ ? add_unknown(context, blob, data, header_of)
                                : add_spooled(context, blob, data, header_of);
  tar_->end_member();
  undo.release();
  return info;
}

BlobInfo ArchiveOutput::add_known(const Context& context, const PutBlob& blob, io::Reader& data,
                                  const HeaderOf& header_of) {
  auto header = header_of(*blob.digest);
  if (!header) return {*blob.digest, *blob.size};
  header->size = *blob.size;
  tar_->begin(*header);
  return copy_verified(context, blob, data, *tar_);
}

BlobInfo ArchiveOutput::add_unknown(const Context& context, const PutBlob& blob, io::Reader& data,
                                    const HeaderOf& header_of) {
  const auto offset = tar_->offset();
  tar_->begin_open();
  const BlobInfo info = copy_verified(context, blob, data, *tar_);
  if (const auto header = header_of(info.digest)) {
    put_at(file_->fd(), offset, tar_->end_open(*header));
  } else {
    cut_back(offset);
  }
  return info;
}

BlobInfo ArchiveOutput::add_spooled(const Context& context, const PutBlob& blob, io::Reader& data,
                                    const HeaderOf& header_of) {
  os::FileWriter spool(os::open_unnamed(spool_dir_));
  const BlobInfo info = copy_verified(context, blob, data, spool);
  const auto file = std::make_shared<const os::UniqueFd>(os::duplicate(spool.fd().get()));
  os::RangeReader again(file, 0, info.size);
  PutBlob known = blob;
  known.digest = info.digest;
  known.size = info.size;
  return add_known(context, known, again, header_of);
}

void ArchiveOutput::cut_back(std::uint64_t offset) noexcept {
  if (tar_->offset() == offset) return;
  const auto position = static_cast<off_t>(offset);
  broken_ = !file_ || ::ftruncate(file_->fd().get(), position) != 0 ||
            ::lseek(file_->fd().get(), position, SEEK_SET) != position;
  tar_->abandon(offset);
}

void ArchiveOutput::finish() {
  tar().finish();
  if (file_) file_->commit(path_);
}

}  // namespace lade::transport
