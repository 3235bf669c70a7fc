// Writing to a repository: manifests, mounts and removals (distribution-spec, "Push" and "Content
// Management").
#include <fmt/format.h>

#include "io/digester.hpp"
#include "registry/errors.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/repository.hpp"
#include "registry/text.hpp"
#include "spec/media_type.hpp"

namespace lade::registry {

namespace {

// The registry would not take this type of manifest, but perhaps another.
bool is_type_refusal(const RegistryError& error) {
  return error.status() == 415 || error.has_code("MANIFEST_INVALID") || error.has_code("TAG_INVALID") ||
         error.has_code("UNSUPPORTED");
}

std::unique_ptr<HttpResponse> remove(const Context& context, const Repository& repository,
                                     const std::string& reference) {
  return repository.session->send(context, repository.call("DELETE", "manifests", reference));
}

// True if the registry says that it has listed the manifest among the referrers of its subject.
bool send_manifest(const Context& context, const Repository& repository, const std::string& reference,
                   const spec::RawManifest& manifest) {
  check_reference(reference);
  return in_context([&] { return fmt::format("uploading manifest {} to {}", reference, repository.name()); },
                    [&] {
                      Call call = repository.call("PUT", "manifests", reference);
                      call.data = manifest.bytes;
                      call.headers.emplace_back("Content-Type", manifest.media_type);
                      const auto response = repository.session->send(context, call);
                      if (is_success(response->status())) {
                        discard(*response);
                        return !response->header("OCI-Subject").empty();
                      }
                      const RegistryError error = response_error(*response);
                      if (!is_type_refusal(error)) throw error;
                      throw RegistryError(Kind::unsupported, error.message(), error.status(),
                                          error.entries());
                    });
}

// The list under `tag`; "" if there is none.
std::string read_referrers(const Context& context, const Repository& repository, const std::string& tag) {
  try {
    auto list = get_manifest(context, repository, tag);
    if (list.media_type == spec::media_type::oci_index) return std::move(list.bytes);
    throw Error(Kind::invalid_input, fmt::format("{} is no list of referrers, but a manifest of type {}", tag,
                                                 quote(list.media_type)));
  } catch (const Error& error) {
    if (error.kind() != Kind::image_not_found && error.kind() != Kind::not_found) throw;
    return "";
  }
}

// Another program may do the same at the same time: the specification offers nothing against that which
// registries without the referrers API would know.
void list_referrer(const Context& context, const Repository& repository, const ReferrerEntry& referrer) {
  const std::lock_guard lock(*repository.referrers_mutex);
  const std::string tag = referrers_tag(referrer.subject);
  const auto list = with_referrer(read_referrers(context, repository, tag), referrer.descriptor);
  if (!list) return;
  send_manifest(context, repository, tag,
                {*list, std::string(spec::media_type::oci_index), io::digest_of(*list)});
}

}  // namespace

void put_manifest(const Context& context, const Repository& repository, const std::string& reference,
                  const spec::RawManifest& manifest) {
  const bool listed = send_manifest(context, repository, reference, manifest);
  const auto referrer = listed ? std::nullopt : referrer_entry(manifest);
  if (!referrer) return;
  in_context([&] { return "updating the referrers of " + referrer->subject.str(); },
             [&] { list_referrer(context, repository, *referrer); });
}

void delete_manifest(const Context& context, const Repository& repository, const spec::Digest& digest) {
  in_context([&] { return fmt::format("deleting manifest {} in {}", digest.str(), repository.name()); },
             [&] {
               const auto response = remove(context, repository, digest.str());
               if (!is_success(response->status())) throw response_error(*response);
               discard(*response);
             });
}

void delete_tag(const Context& context, const Repository& repository, const std::string& tag) {
  check_reference(tag);
  in_context([&] { return fmt::format("deleting tag {} in {}", tag, repository.name()); },
             [&] {
               const auto response = remove(context, repository, tag);
               if (is_success(response->status())) return discard(*response);
               const RegistryError error = response_error(*response);
               // distribution 2.x takes only digests here and calls a tag an invalid one.
               if (!is_type_refusal(error) && !error.has_code("DIGEST_INVALID")) throw error;
               throw RegistryError(Kind::unsupported,
                                   "the registry cannot delete a tag without its image: " + error.message(),
                                   error.status(), error.entries());
             });
}

bool mount_blob(const Context& context, const Repository& repository, const spec::Digest& digest,
                const std::string& from) {
  Call call = repository.call("POST", "blobs", "uploads/");
  call.target = with_parameter(call.target, "mount", digest.str());
  call.target = with_parameter(call.target, "from", from);
  call.scopes.push_back(fmt::format("repository:{}:pull", from));
  std::unique_ptr<HttpResponse> response;
  try {
    response = repository.session->send(context, call);
  } catch (const Error& error) {  // a token server may refuse the other repository
    if (error.kind() == Kind::denied) return false;
    throw;
  }
  if (response->status() == 202) {  // an upload was begun instead, which nobody will use
    Call cancel = repository.call("DELETE", repository.session->location(*response));
    cancel.repeat = false;
    discard(*repository.session->send(context, cancel));
  }
  return response->status() == 201;
}

}  // namespace lade::registry
