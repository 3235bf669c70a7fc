#include "io/digester.hpp"
#include "registry/server/api.hpp"
#include "registry/server/api_error.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "spec/reference.hpp"

namespace lade::registry::server {

namespace {

ApiError manifest_unknown() {
  return {404, "MANIFEST_UNKNOWN", "manifest unknown to registry"};
}

ManifestPtr find_manifest(const Catalog& catalog, const Route& route) {
  const auto repository = catalog.find(route.repository);
  if (repository == catalog.end()) return nullptr;
  if (const auto digest = spec::Digest::try_parse(route.reference)) {
    const auto found = repository->second.manifests.find(*digest);
    return found == repository->second.manifests.end() ? nullptr : found->second;
  }
  const auto found = repository->second.tags.find(route.reference);
  return found == repository->second.tags.end() ? nullptr : found->second;
}

// The tag in the path; nullopt if it is a digest.
std::optional<std::string> tag_of(const Route& route) {
  if (route.reference.find(':') != std::string::npos) {
    Call::parse_digest(route.reference);
    return std::nullopt;
  }
  if (!spec::is_valid_tag(route.reference)) throw ApiError(400, "TAG_INVALID", "manifest tag is not valid");
  return route.reference;
}

// What the client says it sends; the document itself where it says nothing of use.
std::string media_type_of(const Call& call, const std::string& bytes) {
  const std::string header = call.header("Content-Type");
  const std::string type(trim(std::string_view(header).substr(0, header.find(';'))));
  const bool useless = type.empty() || type == "application/json" || type == "application/octet-stream";
  return useless ? spec::guess_manifest_type(bytes) : type;
}

// A document that says it is something else could mean different things to different clients.
void check_media_type(const spec::RawManifest& raw) {
  const auto document = spec::parse_json(raw.bytes, "manifest");
  const auto member = document.is_object() ? document.find("mediaType") : document.end();
  if (member == document.end()) return;
  if (!member->is_string() || member->get<std::string>() != raw.media_type) {
    throw ApiError(400, "MANIFEST_INVALID", "the mediaType of the manifest is not its Content-Type");
  }
}

bool may_be_elsewhere(const spec::Descriptor& blob) {
  return spec::is_foreign_layer(blob.media_type) || !blob.urls.empty();
}

}  // namespace

void Api::on_manifest(Call& call) {
  if (call.is("GET") || call.is("HEAD")) return get_manifest(call);
  if (call.is("PUT")) return put_manifest(call);
  if (call.is("DELETE")) return delete_manifest(call);
  throw ApiError(405, "UNSUPPORTED", "the method is not supported here");
}

void Api::get_manifest(Call& call) {
  tag_of(call.route);
  const auto manifest = find_manifest(*store_.catalog(), call.route);
  if (!manifest) throw manifest_unknown();
  const auto& descriptor = manifest->descriptor;
  call.response.set_header("Docker-Content-Digest", descriptor.digest.str());
  call.response.set_header("ETag", "\"" + descriptor.digest.str() + "\"");
  call.reply(200, descriptor.media_type, store_.read_manifest_bytes(descriptor.digest));
}

void Api::check_references(const StoredManifest& manifest) const {
  const auto check = [&](const spec::Descriptor& wanted, const std::string& what) {
    const auto size = store_.find_blob(wanted.digest);
    if (!size)
      throw ApiError(404, "MANIFEST_BLOB_UNKNOWN", what + " unknown to registry: " + wanted.digest.str());
    if (*size != wanted.size) {
      throw ApiError(400, "SIZE_INVALID", what + " has another size: " + wanted.digest.str());
    }
  };
  for (const auto& blob : manifest.blobs) {
    if (!may_be_elsewhere(blob)) check(blob, "blob");
  }
  for (const auto& instance : manifest.instances) check(instance, "manifest");
}

void Api::put_manifest(Call& call) {
  const auto tag = tag_of(call.route);
  const std::string bytes = call.read_text_body(spec::max_manifest_size);
  const auto expected = spec::Digest::try_parse(call.route.reference);
  const auto algorithm = expected ? expected->algorithm() : spec::Digest::Algorithm::sha256;
  const spec::RawManifest raw{bytes, media_type_of(call, bytes), io::digest_of(bytes, algorithm)};
  if (expected && *expected != raw.digest) {
    throw ApiError(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  check_media_type(raw);
  const StoredManifest manifest = read_manifest(raw);
  check_references(manifest);
  store_.put_manifest(context_, call.route.repository, tag, raw);
  if (manifest.subject) call.response.set_header("OCI-Subject", manifest.subject->str());
  call.response.set_header("Location", "/v2/" + call.route.repository + "/manifests/" + raw.digest.str());
  call.response.set_header("Docker-Content-Digest", raw.digest.str());
  call.reply(201);
}

void Api::delete_manifest(Call& call) {
  const auto tag = tag_of(call.route);
  const bool removed = tag ? store_.remove_tag(context_, call.route.repository, *tag)
                           : store_.remove_manifest(context_, call.route.repository, call.digest());
  if (!removed) throw manifest_unknown();
  call.reply(202);
}

}  // namespace lade::registry::server
