// Signatures beside images: the API extension of OpenShift's registry (X-Registry-Supports-Signatures), and
// documents anywhere on the web.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "config/base64.hpp"
#include "registry/errors.hpp"
#include "registry/repository.hpp"
#include "spec/json.hpp"

namespace lade::registry {

namespace {

constexpr int max_document_redirects = 10;
constexpr std::size_t max_list_size = 4 * 1024 * 1024;
constexpr std::uint64_t extension_version = 2;
constexpr std::string_view extension_type = "atomic";

Call extension_call(const Repository& repository, std::string_view method, const spec::Digest& digest) {
  Call call = repository.call(method, "manifests", digest.str());
  call.target = fmt::format("/extensions/v2/{}/signatures/{}", repository.path, digest.str());
  return call;
}

std::string random_hex() {
  std::random_device random;
  std::string result;
  for (int i = 0; i < 4; ++i) result += fmt::format("{:08x}", static_cast<std::uint32_t>(random()));
  return result;
}

bool is_known_signature(const spec::Json& entry, std::string_view what) {
  return entry.is_object() && spec::size_member(entry, "schemaVersion", what) == extension_version &&
         spec::string_member(entry, "type", what) == extension_type;
}

void put_signature(const Context& context, const Repository& repository, const spec::Digest& digest,
                   const std::string& signature) {
  spec::Json document = {{"schemaVersion", extension_version},
                         {"name", digest.str() + "@" + random_hex()},
                         {"type", extension_type},
                         {"content", config::base64_encode(signature)}};
  const std::string body = spec::dump_json(document);
  Call call = extension_call(repository, "PUT", digest);
  call.data = body;
  const auto response = repository.session->send(context, call);
  if (response->status() != 201) throw response_error(*response);
  discard(*response);
}

}  // namespace

std::vector<std::string> extension_signatures(const Context& context, const Repository& repository,
                                              const spec::Digest& digest) {
  return in_context(
      [&] { return fmt::format("downloading signatures for {} in {}", digest.str(), repository.name()); },
      [&] {
        const std::string_view what = "signature list";
        const auto response = repository.session->send(context, extension_call(repository, "GET", digest));
        if (response->status() != 200) throw response_error(*response);
        const auto document =
            spec::parse_json(io::read_all(response->body(), max_list_size, what), what, max_list_size);
        if (!document.is_object()) throw Error(Kind::invalid_input, "signature list: not an object");
        std::vector<std::string> result;
        for (const auto& entry : spec::array_member(document, "signatures", what)) {
          if (!is_known_signature(entry, what)) continue;
          auto content = config::base64_decode(spec::string_member(entry, "content", what));
          if (!content) throw Error(Kind::invalid_input, "signature list: content is not base64");
          result.push_back(*std::move(content));
        }
        return result;
      });
}

void add_extension_signatures(const Context& context, const Repository& repository,
                              const spec::Digest& digest, const std::vector<std::string>& signatures) {
  const auto there = extension_signatures(context, repository, digest);
  in_context([&] { return fmt::format("uploading signature for {} to {}", digest.str(), repository.name()); },
             [&] {
               for (const auto& signature : signatures)
                 if (std::ranges::find(there, signature) == there.end())
                   put_signature(context, repository, digest, signature);
             });
}

std::optional<std::string> find_document(const Context& context, const Repository& repository,
                                         const std::string& url, std::uint64_t limit) {
  HttpRequest request;
  request.method = "GET";
  request.url = Url::parse(url);
  request.max_redirects = max_document_redirects;
  const auto response = repository.session->send_anonymously(context, request);
  if (response->status() == 404) {
    discard(*response);
    return std::nullopt;
  }
  if (response->status() != 200) throw status_error(*response, "reading " + url);
  return io::read_all(response->body(), limit, url);
}

}  // namespace lade::registry
