// One repository of one registry: what the parts of the client (pull, push, listing) share.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/client.hpp"
#include "registry/session.hpp"

namespace lade::registry {

struct Repository {
  std::shared_ptr<Session> session;
  std::string path;  // "library/busybox"
  Access access = Access::pull;
  unsigned parallel_ranges = 1;
  std::optional<std::uint64_t> chunk_size;
  // Held while a list of referrers is read, extended and written.
  std::shared_ptr<std::mutex> referrers_mutex = std::make_shared<std::mutex>();

  std::string name() const { return session->registry() + "/" + path; }
  // A request to "/v2/<path>/<kind>/<tail>", with the scope that `access` needs.
  Call call(std::string_view method, std::string_view kind, std::string_view tail) const;
  // The same for a place the registry named.
  Call call(std::string_view method, const Url& url) const;
};

bool is_success(int status);  // 2xx

// Kind::invalid_input unless it is a tag or a digest.
void check_reference(std::string_view reference);

// pull.cpp
spec::RawManifest get_manifest(const Context& context, const Repository& repository,
                               const std::string& reference);
std::optional<Client::ManifestInfo> head_manifest(const Context& context, const Repository& repository,
                                                  const std::string& reference);
BlobBody get_blob(const Context& context, const Repository& repository, const spec::Digest& digest,
                  std::uint64_t size);
std::unique_ptr<io::Reader> get_blob_parts(const Context& context, const Repository& repository,
                                           const spec::Digest& digest, std::uint64_t size,
                                           const std::vector<io::ByteRange>& parts);
BlobBody get_external_blob(const Context& context, const Repository& repository,
                           const std::vector<std::string>& urls);
std::optional<std::uint64_t> head_blob(const Context& context, const Repository& repository,
                                       const spec::Digest& digest);

// push.cpp
void put_manifest(const Context& context, const Repository& repository, const std::string& reference,
                  const spec::RawManifest& manifest);
void delete_manifest(const Context& context, const Repository& repository, const spec::Digest& digest);
void delete_tag(const Context& context, const Repository& repository, const std::string& tag);
bool mount_blob(const Context& context, const Repository& repository, const spec::Digest& digest,
                const std::string& from);

// upload.cpp
spec::Digest put_blob(const Context& context, const Repository& repository,
                      const std::optional<spec::Digest>& digest, std::optional<std::uint64_t> size,
                      io::Reader& data, std::uint64_t& written);

// listing.cpp
std::vector<std::string> list_tags(const Context& context, const Repository& repository);
std::vector<std::string> list_repositories(const Context& context, const Repository& repository);
std::vector<Client::SearchHit> search(const Context& context, const Repository& repository,
                                      const std::string& term, std::size_t limit);
std::vector<spec::Descriptor> list_referrers(const Context& context, const Repository& repository,
                                             const spec::Digest& digest);

// signatures.cpp
std::vector<std::string> extension_signatures(const Context& context, const Repository& repository,
                                              const spec::Digest& digest);
void add_extension_signatures(const Context& context, const Repository& repository,
                              const spec::Digest& digest, const std::vector<std::string>& signatures);
std::optional<std::string> find_document(const Context& context, const Repository& repository,
                                         const std::string& url, std::uint64_t limit);

}  // namespace lade::registry
