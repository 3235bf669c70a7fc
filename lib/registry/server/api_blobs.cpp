#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "os/file.hpp"
#include "registry/server/api.hpp"
#include "registry/server/api_error.hpp"
#include "registry/server/range.hpp"

namespace lade::registry::server {

namespace {

ApiError blob_unknown() {
  return {404, "BLOB_UNKNOWN", "blob unknown to registry"};
}

// Sends [offset, offset + size) of a file, which must not be empty.
void send_file(Call& call, os::UniqueFd file, std::uint64_t offset, std::uint64_t size) {
  const auto shared = std::make_shared<const os::UniqueFd>(std::move(file));
  const auto buffer = std::make_shared<std::vector<char>>();
  call.response.set_content_provider(
      size, "application/octet-stream",
      [shared, buffer, offset](std::size_t position, std::size_t left, httplib::DataSink& sink) {
        buffer->resize(std::min(left, 2 * io::chunk_size));
        const ssize_t count =
            ::pread(shared->get(), buffer->data(), buffer->size(), static_cast<off_t>(offset + position));
        // A file that was cut meanwhile: the client sees a broken connection, not a short blob.
        return count > 0 && sink.write(buffer->data(), static_cast<std::size_t>(count));
      });
}

}  // namespace

void Api::on_blob(Call& call) {
  if (call.is("GET") || call.is("HEAD")) return get_blob(call);
  if (call.is("DELETE")) return delete_blob(call);
  throw ApiError(405, "UNSUPPORTED", "the method is not supported here");
}

void Api::get_blob(Call& call) {
  const spec::Digest digest = call.digest();
  auto file = os::try_open_file(store_.blob_path(digest), O_RDONLY | O_NOFOLLOW);
  if (!file) throw blob_unknown();
  const auto size = static_cast<std::uint64_t>(os::stat_of(*file).st_size);
  auto& response = call.response;
  response.set_header("Docker-Content-Digest", digest.str());
  response.set_header("ETag", "\"" + digest.str() + "\"");
  response.set_header("Cache-Control", "max-age=31536000");
  if (call.is("GET")) response.set_header("Accept-Ranges", "bytes");
  const auto range = parse_range(call.header("Range"), size);
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    response.set_header("Content-Range", "bytes */" + std::to_string(size));
    throw ApiError(416, "RANGE_INVALID", "the range is outside of the blob");
  }
  if (range.kind == ByteRange::Kind::part) {
    response.set_header("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                             std::to_string(range.last) + "/" + std::to_string(size));
    send_file(call, std::move(*file), range.first, range.last - range.first + 1);
    return call.reply(206);
  }
  // httplib takes no content provider for nothing.
  if (size == 0) return call.reply(200, "application/octet-stream", "");
  send_file(call, std::move(*file), 0, size);
  call.reply(200);
}

// Blobs are shared by all repositories: one that a manifest still needs stays.
void Api::delete_blob(Call& call) {
  const spec::Digest digest = call.digest();
  if (!store_.find_blob(digest)) throw blob_unknown();
  const auto needed = [&](const spec::Descriptor& blob) { return blob.digest == digest; };
  for (const auto& [name, repository] : *store_.catalog()) {
    for (const auto& [key, manifest] : repository.manifests) {
      if (key == digest || std::any_of(manifest->blobs.begin(), manifest->blobs.end(), needed)) {
        throw ApiError(405, "UNSUPPORTED", "the blob is in use by repository " + name);
      }
    }
  }
  if (!store_.remove_blob(digest)) throw blob_unknown();
  call.reply(202);
}

}  // namespace lade::registry::server
