// Lists: repositories, tags and referrers.
#include <limits>

#include "registry/server/api.hpp"
#include "registry/server/api_error.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::registry::server {

namespace {

using spec::Json;

// Longer lists of referrers are cut into pages even when the client did not ask for it, so that none of its
// limits on the size of an index is reached.
constexpr std::size_t max_referrers = 1000;

std::size_t page_size(const Call& call, std::size_t limit) {
  const auto text = call.target.parameter("n");
  if (text.empty()) return limit;
  const auto wanted = parse_number(text);
  if (!wanted) throw ApiError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested");
  return static_cast<std::size_t>(std::min<std::uint64_t>(*wanted, limit));
}

// The names after parameter "last", in order, at most n of them (distribution-spec, "Listing Tags"). `items`
// is a sorted map. Sets Link when there are more.
template <class Map, class Fn>
void page(Call& call, const Map& items, std::size_t limit, std::string_view extra, Fn add) {
  const std::size_t count = page_size(call, limit);
  const auto last = call.target.parameter("last");
  auto next = last.empty() ? items.begin() : items.upper_bound(std::string(last));
  std::string name;
  for (std::size_t i = 0; i < count && next != items.end(); ++i, ++next) {
    name = next->first;
    add(*next);
  }
  if (next == items.end() || count == 0) return;
  const std::string link =
      call.target.path + "?last=" + percent_encode(name) + "&n=" + std::to_string(count) + std::string(extra);
  call.response.set_header("Link", "<" + link + ">; rel=\"next\"");
}

constexpr auto everything = std::numeric_limits<std::size_t>::max();

Json referrer_json(const spec::Descriptor& descriptor) {
  Json json = Json::object();
  json["mediaType"] = descriptor.media_type;
  json["digest"] = descriptor.digest.str();
  json["size"] = descriptor.size;
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

// By digest, so that pages are stable.
std::map<std::string, ManifestPtr> referrers_of(const Repository& repository, const spec::Digest& subject,
                                                std::string_view artifact_type) {
  std::map<std::string, ManifestPtr> found;
  for (const auto& [digest, manifest] : repository.manifests) {
    const bool wanted = artifact_type.empty() || manifest->descriptor.artifact_type == artifact_type;
    if (manifest->subject == subject && wanted) found.emplace(digest.str(), manifest);
  }
  return found;
}

}  // namespace

void Api::get_base(Call& call) {
  call.reply_json(200, "{}");
}

void Api::get_catalog(Call& call) {
  const auto catalog = store_.catalog();
  Json document = Json::object();
  Json& names = document["repositories"] = Json::array();
  page(call, *catalog, everything, "", [&](const auto& item) { names.push_back(item.first); });
  call.reply_json(200, spec::dump_json(document));
}

void Api::get_tags(Call& call) {
  const auto catalog = store_.catalog();
  const auto repository = catalog->find(call.route.repository);
  if (repository == catalog->end())
    throw ApiError(404, "NAME_UNKNOWN", "repository name not known to registry");
  Json document = Json::object();
  document["name"] = call.route.repository;
  Json& tags = document["tags"] = Json::array();
  page(call, repository->second.tags, everything, "", [&](const auto& item) { tags.push_back(item.first); });
  call.reply_json(200, spec::dump_json(document));
}

void Api::get_referrers(Call& call) {
  const spec::Digest subject = call.digest();
  const std::string type(call.target.parameter("artifactType"));
  const auto catalog = store_.catalog();
  const auto repository = catalog->find(call.route.repository);
  std::map<std::string, ManifestPtr> found;
  if (repository != catalog->end()) found = referrers_of(repository->second, subject, type);
  Json document = Json::object();
  document["schemaVersion"] = 2;
  document["mediaType"] = spec::media_type::oci_index;
  Json& manifests = document["manifests"] = Json::array();
  const std::string extra = type.empty() ? "" : "&artifactType=" + percent_encode(type);
  page(call, found, max_referrers, extra,
       [&](const auto& item) { manifests.push_back(referrer_json(item.second->descriptor)); });
  if (!type.empty()) call.response.set_header("OCI-Filters-Applied", "artifactType");
  call.reply(200, std::string(spec::media_type::oci_index), spec::dump_json(document));
}

}  // namespace lade::registry::server
