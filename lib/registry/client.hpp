// The distribution protocol (distribution-spec 1.1) for one repository or one registry.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "io/byte_range.hpp"
#include "io/stream.hpp"
#include "registry/http.hpp"
#include "registry/options.hpp"
#include "spec/descriptor.hpp"
#include "spec/manifest.hpp"
#include "spec/reference.hpp"

namespace lade::registry {

// What a registry answered: {errors: [{code, message, detail}]} and the status.
class RegistryError : public Error {
 public:
  struct Entry {
    std::string code, message, detail;
  };
  RegistryError(Kind kind, std::string message, int status, std::vector<Entry> entries);
  int status() const { return status_; }
  const std::vector<Entry>& entries() const { return entries_; }
  bool has_code(std::string_view code) const;

 private:
  int status_;
  std::vector<Entry> entries_;
};

struct BlobBody {
  std::unique_ptr<io::Reader> reader;
  std::optional<std::uint64_t> size;
};

// What a client may do; decides the scope of tokens.
enum class Access { pull, push, remove };

// Thread-safe. All clients with the same Options::pool share connections and tokens.
class Client {
 public:
  // `registry` is "host[:port]" as in a Reference's domain ("docker.io" is reached at registry-1.docker.io);
  // `path` the repository, "" for registry-wide calls (check_login, repositories).
  static std::unique_ptr<Client> make(const std::string& registry, const std::string& path, Access access,
                                      const Options& options);
  virtual ~Client() = default;

  // GET; by digest the bytes are checked. `reference` is a tag or digest.
  // Kind::image_not_found for MANIFEST_UNKNOWN ("reading manifest T in R: manifest unknown").
  virtual spec::RawManifest manifest(const Context& context, const std::string& reference) = 0;
  struct ManifestInfo {
    spec::Digest digest;
    std::string media_type;
    std::uint64_t size = 0;
  };
  // HEAD (GET where the registry sends no Docker-Content-Digest). nullopt if it is not there.
  virtual std::optional<ManifestInfo> find_manifest(const Context& context, const std::string& reference) = 0;
  // A manifest with a subject is listed among its subject's referrers, under a tag if the registry does not
  // do that itself.
  // Kind::unsupported when the registry refuses this type (MANIFEST_INVALID, TAG_INVALID, UNSUPPORTED, ...).
  virtual void put_manifest(const Context& context, const std::string& reference,
                            const spec::RawManifest& manifest) = 0;
  virtual void delete_manifest(const Context& context, const spec::Digest& digest) = 0;
  // DELETE manifests/<tag>, where the registry can untag; Kind::unsupported where it cannot.
  virtual void delete_tag(const Context& context, const std::string& tag) = 0;

  // Follows redirects, resumes with Range after a broken connection, reads over several connections when
  // Options::parallel_ranges > 1 and the blob is large. Not verified. `size` 0: unknown.
  virtual BlobBody blob(const Context& context, const spec::Digest& digest, std::uint64_t size) = 0;
  // The bytes of `parts`, one after the other, of a blob of `size` bytes; nullptr where the registry does not
  // serve ranges. Not verified. Parts MUST not be empty, overlap, or end behind the blob; there is one at
  // least.
  virtual std::unique_ptr<io::Reader> blob_parts(const Context& context, const spec::Digest& digest,
                                                 std::uint64_t size,
                                                 const std::vector<io::ByteRange>& parts) = 0;
  // Foreign layer: tried in order, without credentials.
  virtual BlobBody blob_from_urls(const Context& context, const std::vector<std::string>& urls) = 0;
  virtual std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) = 0;
  // POST uploads/, then one streaming PATCH or chunks of Options::chunk_size (and chunks after a 413), then
  // PUT. Bytes that do not match digest or size are refused before the PUT and the upload is cancelled.
  virtual spec::Digest put_blob(const Context& context, const std::optional<spec::Digest>& digest,
                                std::optional<std::uint64_t> size, io::Reader& data,
                                std::uint64_t& written) = 0;
  virtual bool mount_blob(const Context& context, const spec::Digest& digest, const std::string& from) = 0;

  // All pages in the server's order; empty and digest-like tags are dropped.
  virtual std::vector<std::string> tags(const Context& context) = 0;
  virtual std::vector<std::string> repositories(const Context& context) = 0;
  // Repositories that have to do with `term`: what the registry's own search finds (docker.io's old
  // /v1/search, on index.docker.io), or those of the catalog whose names contain it, an equal one first. At
  // most `limit`.
  struct SearchHit {
    std::string name{}, description{};
    std::int64_t stars = 0;
    bool is_official = false, is_automated = false;
  };
  virtual std::vector<SearchHit> search(const Context& context, const std::string& term,
                                        std::size_t limit) = 0;
  // Referrers API (404: the sha256-<hex> tag schema).
  virtual std::vector<spec::Descriptor> referrers(const Context& context, const spec::Digest& digest) = 0;

  // Whether the registry has said that it keeps signatures (X-Registry-Supports-Signatures), in any answer
  // that came from it so far.
  virtual bool keeps_signatures() const = 0;
  // OpenPGP messages that a registry keeps beside the manifest; not verified.
  virtual std::vector<std::string> signatures(const Context& context, const spec::Digest& digest) = 0;
  // Those that are not there yet.
  virtual void add_signatures(const Context& context, const spec::Digest& digest,
                              const std::vector<std::string>& signatures) = 0;
  // Any document, without credentials but with the registry's TLS settings. nullopt for 404;
  // Kind::invalid_input if it is longer than `limit`.
  virtual std::optional<std::string> find_document(const Context& context, const std::string& url,
                                                   std::uint64_t limit) = 0;

  // GET /v2/ with the credentials of the options. Kind::denied if they are refused.
  virtual void check_login(const Context& context) = 0;
};

}  // namespace lade::registry
