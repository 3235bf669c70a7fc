// Lists that come in pages: tags, repositories, referrers (distribution-spec, "Content Discovery").
#include <fmt/format.h>

#include <set>

#include "registry/errors.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/repository.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_pages = 10'000;
constexpr std::size_t max_listed = 2'000'000;
constexpr std::size_t max_page_size = 16 * 1024 * 1024;
constexpr std::size_t max_text = 64 * 1024 * 1024;  // of all entries together
constexpr std::size_t max_empty_pages = 16;         // in a row

// The value of a link header's part that has rel="next" (RFC 8288): `</v2/...?last=x>; rel="next"`.
std::optional<std::string> next_link(const HttpResponse& response) {
  for (const std::string_view line : response.header_values("Link")) {
    std::size_t position = 0;
    for (;;) {
      const auto begin = line.find('<', position);
      const auto end = begin == std::string_view::npos ? begin : line.find('>', begin);
      if (end == std::string_view::npos) break;
      const auto next = line.find('<', end);
      const std::string parameters = lower_case(line.substr(end + 1, next - end - 1));
      if (parameters.find("rel=\"next\"") != std::string::npos ||
          parameters.find("rel=next") != std::string::npos) {
        return std::string(line.substr(begin + 1, end - begin - 1));
      }
      position = end;
    }
  }
  return std::nullopt;
}

// Requests page after page; `take` is given each document and returns how many entries were in it.
class Pages {
 public:
  Pages(const Context& context, const Repository& repository, Call call)
      : context_(context), repository_(repository), call_(std::move(call)) {}

  // The response to the next page's request; nullptr after the last. The body is the caller's.
  std::unique_ptr<HttpResponse> next() {
    if (done_) return nullptr;
    if (++pages_ > max_pages || !visited_.insert(call_.target).second) {
      throw Error(Kind::invalid_input, fmt::format("the registry {} sends pages without end", registry()));
    }
    auto response = repository_.session->send(context_, call_);
    const auto link = next_link(*response);
    done_ = !link;
    // Only path and query count: registries behind proxies name themselves wrongly.
    if (link) call_.target = response->url().resolve(*link).target;
    return response;
  }

  // Bounds what a registry can make us keep.
  void count(std::size_t entries, std::size_t text) {
    entries_ += entries;
    text_ += text;
    empty_pages_ = entries == 0 ? empty_pages_ + 1 : 0;
    if (entries_ > max_listed || text_ > max_text || empty_pages_ > max_empty_pages) {
      throw Error(Kind::invalid_input, fmt::format("the registry {} sends a list without end", registry()));
    }
  }

 private:
  const std::string& registry() const { return repository_.session->registry(); }

  const Context& context_;
  const Repository& repository_;
  Call call_;
  bool done_ = false;
  std::set<std::string> visited_;
  std::size_t pages_ = 0, entries_ = 0, text_ = 0, empty_pages_ = 0;
};

spec::Json read_document(HttpResponse& response, std::string_view what) {
  if (response.status() != 200) throw response_error(response);
  spec::Json document =
      spec::parse_json(io::read_all(response.body(), max_page_size, what), what, max_page_size);
  if (!document.is_object()) throw Error(Kind::invalid_input, fmt::format("{}: not an object", what));
  return document;
}

// The strings of document[member]; none for null or absence.
std::vector<std::string> strings(const spec::Json& document, const char* member, std::string_view what) {
  const auto list = document.find(member);
  if (list == document.end() || list->is_null()) return {};
  if (!list->is_array()) throw Error(Kind::invalid_input, fmt::format("{}: {} is not a list", what, member));
  std::vector<std::string> result;
  result.reserve(list->size());
  for (const auto& item : *list) {
    if (!item.is_string())
      throw Error(Kind::invalid_input, fmt::format("{}: {} holds no names", what, member));
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<std::string> all_strings(Pages pages, const char* member, std::string_view what) {
  std::vector<std::string> all;
  while (const auto response = pages.next()) {
    auto names = strings(read_document(*response, what), member, what);
    std::size_t text = 0;
    for (const auto& name : names) text += name.size();
    pages.count(names.size(), text);
    std::move(names.begin(), names.end(), std::back_inserter(all));
  }
  return all;
}

// Registries without the referrers API keep the list under a tag (distribution-spec, "Referrers Tag Schema").
std::vector<spec::Descriptor> referrers_by_tag(const Context& context, const Repository& repository,
                                               const spec::Digest& digest) {
  Call call = repository.call("GET", "manifests", referrers_tag(digest));
  call.headers.emplace_back("Accept", spec::media_type::oci_index);
  const auto response = repository.session->send(context, call);
  if (response->status() == 404) return {};
  if (response->status() != 200) throw response_error(*response);
  const std::string bytes = io::read_all(response->body(), spec::max_manifest_size, "referrers");
  if (spec::guess_manifest_type(bytes) != spec::media_type::oci_index) return {};
  return spec::Index::parse(bytes, spec::media_type::oci_index).instances();
}

std::vector<Client::SearchHit> hits_of(const spec::Json& document, std::size_t limit) {
  constexpr std::string_view what = "search results";
  std::vector<Client::SearchHit> hits;
  for (const auto& result : spec::array_member(document, "results", what)) {
    if (hits.size() == limit) break;
    if (!result.is_object()) throw Error(Kind::invalid_input, "search results: not a list of objects");
    hits.push_back({spec::string_member(result, "name", what),
                    spec::string_member(result, "description", what),
                    static_cast<std::int64_t>(spec::size_member(result, "star_count", what).value_or(0)),
                    spec::bool_member(result, "is_official", what),
                    spec::bool_member(result, "is_automated", what)});
  }
  return hits;
}

// nullopt: the registry has no search of its own.
std::optional<std::vector<Client::SearchHit>> search_by_registry(const Context& context,
                                                                 const Repository& repository,
                                                                 const std::string& term, std::size_t limit) {
  const Call call{.target = fmt::format("/v1/search?n={}&q={}", limit, percent_encode(term)), .repeat = false};
  try {
    const auto response = repository.session->send(context, call);
    if (response->status() != 200) return std::nullopt;
    return hits_of(read_document(*response, "search results"), limit);
  } catch (const Error& error) {
    context.log.debug(fmt::format("searching {}: {}", repository.session->registry(), error.what()));
    return std::nullopt;
  }
}

std::vector<Client::SearchHit> search_catalog(const Context& context, const Repository& repository,
                                              const std::string& term, std::size_t limit) {
  std::vector<Client::SearchHit> hits;
  Pages pages(context, repository, {.target = "/v2/_catalog?n=1000", .scopes = {"registry:catalog:*"}});
  while (hits.size() < limit) {
    const auto response = pages.next();
    if (!response) break;
    const auto names = strings(read_document(*response, "catalog"), "repositories", "catalog");
    std::size_t text = 0;
    for (const auto& name : names) text += name.size();
    pages.count(names.size(), text);
    for (const auto& name : names) {
      if (hits.size() == limit) break;
      if (name.find(term) == std::string::npos) continue;
      hits.insert(name == term ? hits.begin() : hits.end(), Client::SearchHit{.name = name});
    }
  }
  return hits;
}

bool is_index(const HttpResponse& response) {
  return response.status() == 200 &&
         spec::normalize_manifest_type(response.header("Content-Type")) == spec::media_type::oci_index;
}

}  // namespace

std::vector<std::string> list_tags(const Context& context, const Repository& repository) {
  return in_context("fetching tags list", [&] {
    std::vector<std::string> tags;
    Pages pages(context, repository, repository.call("GET", "tags", "list"));
    for (std::string& tag : all_strings(std::move(pages), "tags", "tags list")) {
      // Nexus and Artifactory list digests among the tags, and sometimes nothing at all.
      if (tag.empty() || spec::Digest::try_parse(tag)) continue;
      if (!spec::is_valid_tag(tag)) {
        throw Error(Kind::invalid_input, fmt::format("registry returned invalid tag {}", quote(tag)));
      }
      tags.push_back(std::move(tag));
    }
    return tags;
  });
}

std::vector<std::string> list_repositories(const Context& context, const Repository& repository) {
  return in_context([&] { return "fetching the catalog of " + repository.session->registry(); },
                    [&] {
                      const Call call{.target = "/v2/_catalog?n=1000", .scopes = {"registry:catalog:*"}};
                      return all_strings(Pages(context, repository, call), "repositories", "catalog");
                    });
}

std::vector<Client::SearchHit> search(const Context& context, const Repository& repository,
                                      const std::string& term, std::size_t limit) {
  if (!term.empty()) {
    if (auto hits = search_by_registry(context, repository, term, limit)) return *std::move(hits);
  }
  return in_context([&] { return "couldn't search registry \"" + repository.session->registry() + "\""; },
                    [&] { return search_catalog(context, repository, term, limit); });
}

std::vector<spec::Descriptor> list_referrers(const Context& context, const Repository& repository,
                                             const spec::Digest& digest) {
  return in_context(
      [&] { return fmt::format("reading referrers of {} in {}", digest.str(), repository.name()); },
      [&] {
        std::vector<spec::Descriptor> all;
        Call call = repository.call("GET", "referrers", digest.str());
        call.headers.emplace_back("Accept", spec::media_type::oci_index);
        Pages pages(context, repository, call);
        while (const auto response = pages.next()) {
          const int status = response->status();
          const bool unknown = status == 400 || status == 404 || status == 405 || status == 501;
          if (unknown || (status == 200 && !is_index(*response))) {
            return referrers_by_tag(context, repository, digest);
          }
          if (status != 200) throw response_error(*response);
          const std::string bytes = io::read_all(response->body(), spec::max_manifest_size, "referrers");
          const auto page = spec::Index::parse(bytes, spec::media_type::oci_index).instances();
          pages.count(page.size(), bytes.size());
          all.insert(all.end(), page.begin(), page.end());
        }
        return all;
      });
}

}  // namespace lade::registry
