#include "base/scope_exit.hpp"
#include "registry/server/api.hpp"
#include "registry/server/api_error.hpp"
#include "registry/server/range.hpp"
#include "registry/text.hpp"

namespace lade::registry::server {

namespace {

void describe_upload(Call& call, const Upload& upload) {
  const std::uint64_t size = upload.size();
  auto& response = call.response;
  response.set_header("Location", "/v2/" + upload.repository() + "/blobs/uploads/" + upload.id());
  // "0-0" stands for nothing, too: the specification has no word for it.
  response.set_header("Range", "0-" + std::to_string(size == 0 ? 0 : size - 1));
  response.set_header("Docker-Upload-UUID", upload.id());
}

// A chunk that says where it belongs must belong at the end of what is there.
void check_chunk(Call& call, const Upload& upload) {
  if (!call.request.has_header("Content-Range")) return;
  const auto range = parse_chunk_range(call.header("Content-Range"));
  if (!range) throw ApiError(400, "BLOB_UPLOAD_INVALID", "the Content-Range is malformed");
  if (range->first != upload.size()) {
    describe_upload(call, upload);
    throw ApiError(416, "BLOB_UPLOAD_INVALID", "the chunk is not the next one");
  }
  const auto length = parse_number(call.header("Content-Length"));
  if (length && *length != range->last - range->first + 1) {
    throw ApiError(400, "SIZE_INVALID", "Content-Range and Content-Length do not agree");
  }
}

}  // namespace

void Api::begin_upload(Call& call) {
  if (call.target.query.contains("mount") && mount(call)) return;
  const auto upload = uploads_.begin(call.route.repository);
  const auto digest = call.target.parameter("digest");
  if (!digest.empty()) {
    // There is no second request that could go on with it.
    const ScopeExit forget([&] { uploads_.remove(upload->id()); });
    call.route.reference = upload->id();
    return complete_upload(call);
  }
  describe_upload(call, *upload);
  call.reply(202);
}

// Blobs belong to all repositories, so it does not matter which one it comes from.
bool Api::mount(Call& call) {
  const auto digest = Call::parse_digest(call.target.parameter("mount"));
  if (!store_.find_blob(digest)) return false;
  reply_created(call, digest);
  return true;
}

void Api::on_upload(Call& call) {
  if (call.is("GET") || call.is("HEAD")) return get_upload(call);
  if (call.is("PATCH")) return append_upload(call);
  if (call.is("PUT")) return complete_upload(call);
  if (!call.is("DELETE")) throw ApiError(405, "UNSUPPORTED", "the method is not supported here");
  uploads_.get(call.route.repository, call.route.reference);
  uploads_.remove(call.route.reference);
  call.reply(204);
}

void Api::get_upload(Call& call) {
  describe_upload(call, *uploads_.get(call.route.repository, call.route.reference));
  call.reply(204);
}

void Api::append_body(Call& call, Upload& upload) {
  check_chunk(call, upload);
  call.read_body([&](io::Bytes data) { upload.append(data); });
}

void Api::append_upload(Call& call) {
  const auto upload = uploads_.lock(call.route.repository, call.route.reference);
  append_body(call, *upload);
  describe_upload(call, *upload);
  call.reply(202);
}

void Api::complete_upload(Call& call) {
  const auto digest = Call::parse_digest(call.target.parameter("digest"));
  const auto upload = uploads_.lock(call.route.repository, call.route.reference);
  append_body(call, *upload);
  uploads_.remove(upload->id());
  if (!upload->publish(store_, digest)) {
    throw ApiError(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  reply_created(call, digest);
}

void Api::reply_created(Call& call, const spec::Digest& digest) {
  call.response.set_header("Location", "/v2/" + call.route.repository + "/blobs/" + digest.str());
  call.response.set_header("Docker-Content-Digest", digest.str());
  call.reply(201);
}

}  // namespace lade::registry::server
