// Reading from a repository: manifests and blobs (distribution-spec, "Pull").
#include <fmt/format.h>

#include "io/digester.hpp"
#include "registry/errors.hpp"
#include "registry/ranged_reader.hpp"
#include "registry/repository.hpp"
#include "registry/resuming_reader.hpp"
#include "registry/text.hpp"
#include "registry/widening_reader.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::registry {

namespace {

constexpr int max_redirects = 10;
// Smaller blobs are not worth several connections.
constexpr std::uint64_t large_blob = 32 * 1024 * 1024;

// In the order of containers/image, so that registries that choose by it choose the same.
Headers accept_headers() {
  namespace type = spec::media_type;
  Headers headers;
  for (const std::string_view accepted :
       {type::oci_manifest, type::docker_manifest, type::docker_manifest_v1_signed, type::docker_manifest_v1,
        type::docker_list, type::oci_index}) {
    headers.emplace_back("Accept", accepted);
  }
  return headers;
}

Call manifest_call(const Repository& repository, std::string_view method, const std::string& reference) {
  check_reference(reference);
  Call call = repository.call(method, "manifests", reference);
  call.headers = accept_headers();
  call.max_redirects = max_redirects;
  return call;
}

Call blob_call(const Repository& repository, std::string_view method, const spec::Digest& digest) {
  Call call = repository.call(method, "blobs", digest.str());
  call.max_redirects = max_redirects;
  return call;
}

// Registries that know no better send manifests as text or bytes: the document itself says what it is.
std::string manifest_type(std::string_view content_type, std::string_view bytes) {
  std::string type = spec::normalize_manifest_type(content_type);
  const std::string_view bare = trim(content_type.substr(0, content_type.find(';')));
  const bool vague = bare.empty() || equals_ignoring_case(bare, "application/json") ||
                     (!spec::is_manifest(type) && !spec::is_list(type));
  if (!vague) return type;
  const std::string guessed = spec::guess_manifest_type(bytes);
  return guessed.empty() ? type : guessed;
}

void check_digest(const spec::RawManifest& manifest, const std::string& reference) {
  const auto expected = spec::Digest::try_parse(reference);
  if (expected && manifest.digest != *expected) {
    throw Error(Kind::integrity, fmt::format("Digest did not match, expected {}, got {}", expected->str(),
                                             manifest.digest.str()));
  }
}

spec::RawManifest read_manifest(HttpResponse& response, const std::string& reference) {
  if (response.status() != 200) throw response_error(response);
  std::string bytes = io::read_all(response.body(), spec::max_manifest_size, "manifest");
  const auto named = spec::Digest::try_parse(reference);
  std::string type = manifest_type(response.header("Content-Type"), bytes);
  spec::Digest digest = io::digest_of(spec::manifest_payload(bytes),
                                      named ? named->algorithm() : spec::Digest::Algorithm::sha256);
  spec::RawManifest manifest{std::move(bytes), std::move(type), std::move(digest)};
  check_digest(manifest, reference);
  return manifest;
}

std::optional<Client::ManifestInfo> info_of_head(const HttpResponse& response) {
  const auto digest = spec::Digest::try_parse(response.header("Docker-Content-Digest"));
  if (!digest || !response.content_length()) return std::nullopt;
  return Client::ManifestInfo{*digest, spec::normalize_manifest_type(response.header("Content-Type")),
                              *response.content_length()};
}

// nullptr where the registry does not serve ranges, or not now: the connection that is there goes on.
std::unique_ptr<io::Reader> open_ranges(const Context& context, const Repository& repository,
                                        const std::string& what, std::uint64_t size, std::uint64_t offset,
                                        const RangedReader::Fetch& fetch) {
  if (size - offset < large_blob) return nullptr;
  try {
    auto reader =
        RangedReader::open(context, what, repository.session->pool().slot<RangeBudget>("range budget"),
                           range_options(repository.parallel_ranges), size, {{offset, size - offset}}, fetch);
    context.log.debug(fmt::format("{}: {} from byte {} on", what,
                                  reader ? "several connections" : "no ranges, one connection", offset));
    return reader;
  } catch (const Error& error) {
    context.log.debug(fmt::format("{}: one connection: {}", what, error.what()));
    return nullptr;
  }
}

template <class Reader>
BlobBody body_of(std::unique_ptr<Reader> reader) {
  const auto size = reader->size();
  return {std::move(reader), size};
}

// One part of a blob. Redirects are followed.
RangedReader::Fetch blob_fetcher(const Repository& repository, const spec::Digest& digest) {
  return [repository, digest](const Context& inner, const std::string& range) {
    Call call = blob_call(repository, "GET", digest);
    if (!range.empty()) {
      call.headers.emplace_back("Range", range);
      call.repeat = false;  // the readers count their own tries
    }
    return repository.session->send(inner, call);
  };
}

}  // namespace

spec::RawManifest get_manifest(const Context& context, const Repository& repository,
                               const std::string& reference) {
  return in_context([&] { return fmt::format("reading manifest {} in {}", reference, repository.name()); },
                    [&] {
                      const auto response =
                          repository.session->send(context, manifest_call(repository, "GET", reference));
                      return read_manifest(*response, reference);
                    });
}

std::optional<Client::ManifestInfo> head_manifest(const Context& context, const Repository& repository,
                                                  const std::string& reference) {
  return in_context(
      [&] { return fmt::format("looking for manifest {} in {}", reference, repository.name()); },
      [&]() -> std::optional<Client::ManifestInfo> {
        auto response = repository.session->send(context, manifest_call(repository, "HEAD", reference));
        if (response->status() == 404) return std::nullopt;
        if (response->status() == 200) {
          if (auto info = info_of_head(*response)) return info;
        } else if (response->status() != 405) {
          throw response_error(*response);
        }
        response = repository.session->send(context, manifest_call(repository, "GET", reference));
        if (response->status() == 404) return std::nullopt;
        const spec::RawManifest manifest = read_manifest(*response, reference);
        return Client::ManifestInfo{manifest.digest, manifest.media_type, manifest.bytes.size()};
      });
}

BlobBody get_blob(const Context& context, const Repository& repository, const spec::Digest& digest,
                  std::uint64_t size) {
  const auto fetch = blob_fetcher(repository, digest);
  const std::string what = "blob " + digest.str();
  const auto open = [context, fetch](const std::string& range) { return fetch(context, range); };
  auto body = body_of(std::make_unique<ResumingReader>(context, what, open));
  if (repository.parallel_ranges > 1 && size > large_blob && body.size.value_or(size) == size) {
    const auto widen = [context, repository, what, size, fetch](std::uint64_t offset) {
      return open_ranges(context, repository, what, size, offset, fetch);
    };
    body.reader = std::make_unique<WideningReader>(context, std::move(body.reader), size, widen);
  }
  return body;
}

std::unique_ptr<io::Reader> get_blob_parts(const Context& context, const Repository& repository,
                                           const spec::Digest& digest, std::uint64_t size,
                                           const std::vector<io::ByteRange>& parts) {
  const std::string what = "blob " + digest.str();
  return in_context(
      [&] { return "fetching parts of " + what; },
      [&] {
        HttpPool& pool = repository.session->pool();
        RangeOptions options = range_options(repository.parallel_ranges);
        options.refuses_several =
            pool.slot<std::atomic<bool>>("refuses several ranges " + repository.session->registry());
        return RangedReader::open(context, what, pool.slot<RangeBudget>("range budget"), std::move(options),
                                  size, parts, blob_fetcher(repository, digest));
      });
}

BlobBody get_external_blob(const Context& context, const Repository& repository,
                           const std::vector<std::string>& urls) {
  std::optional<Error> first;
  for (const std::string& text : urls) {
    const auto open = [context, session = repository.session, text](const std::string& range) {
      HttpRequest request;
      request.method = "GET";
      request.url = Url::parse(text);
      request.max_redirects = max_redirects;
      if (!range.empty()) request.headers.emplace_back("Range", range);
      return session->send_anonymously(context, request);
    };
    try {
      return body_of(std::make_unique<ResumingReader>(context, "external blob from " + quote(text), open));
    } catch (const Error& error) {  // the next place may have it
      if (!first) first = error;
    }
  }
  if (!first) throw Error(Kind::not_found, "the blob names no URLs to fetch it from");
  first->add_context("failed fetching external blob from all urls");
  throw *first;
}

std::optional<std::uint64_t> head_blob(const Context& context, const Repository& repository,
                                       const spec::Digest& digest) {
  return in_context([&] { return fmt::format("looking for blob {} in {}", digest.str(), repository.name()); },
                    [&]() -> std::optional<std::uint64_t> {
                      const auto response =
                          repository.session->send(context, blob_call(repository, "HEAD", digest));
                      if (response->status() == 404) return std::nullopt;
                      if (response->status() != 200) throw response_error(*response);
                      return response->content_length();
                    });
}

}  // namespace lade::registry
