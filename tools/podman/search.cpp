#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/go_text.hpp"
#include "common/report.hpp"
#include "engines/front.hpp"
#include "engines/transfer.hpp"
#include "podman/commands.hpp"
#include "registry/client.hpp"
#include "transport/docker/docker.hpp"

namespace lade::podman {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using spec::Json;
namespace go = common::gotemplate;

constexpr std::size_t default_search_limit = 25;
constexpr std::size_t description_limit = 44;
constexpr std::string_view docker_hub = "docker.io";

constexpr GoField search_fields[] = {
    {"Index", "Index", &go::string_type},         {"Name", "Name", &go::string_type},
    {"Description", "Description", &go::string_type}, {"Stars", "Stars", &go::integer_type},
    {"Official", "Official", &go::string_type},   {"Automated", "Automated", &go::string_type},
    {"Tag", "Tag", &go::string_type},
};
constexpr GoType search_type{go::Shape::structure, "types.ImageSearchReport", nullptr, search_fields};

const Json& search_headings() {
  static const Json map = {{"Index", "INDEX"},       {"Name", "NAME"},         {"Description", "DESCRIPTION"},
                           {"Stars", "STARS"},       {"Official", "OFFICIAL"}, {"Automated", "AUTOMATED"},
                           {"Tag", "TAG"}};
  return map;
}

std::vector<Option> options_of_search() {
  std::vector<Option> options = {
      {.name = "compatible", .help = "List stars, official and automated columns (Docker compatibility)"},
      {.name = "filter",
       .short_name = 'f',
       .kind = ValueKind::list,
       .help = "stars=N, is-official or is-automated, each also with =false"},
      {.name = "format",
       .kind = ValueKind::text,
       .help = "Change the output format to JSON or a Go template"},
      {.name = "limit", .kind = ValueKind::integer, .help = "Limit the number of results (default 25)"},
      {.name = "list-tags", .help = "List the tags of the input repository"},
      {.name = "no-trunc", .help = "Do not truncate the output"},
  };
  for (Option& option : engines::registry_access_options()) {
    const std::string& name = option.name;
    if (name != "quiet" && name != "retry" && name != "retry-delay") options.push_back(std::move(option));
  }
  return options;
}

struct SearchFilter {
  std::int64_t stars = 0;
  std::optional<bool> official, automated;

  bool operator()(const registry::Client::SearchHit& hit) const {
    return hit.stars >= stars && (!official || hit.is_official == *official) &&
           (!automated || hit.is_automated == *automated);
  }
};

SearchFilter search_filter(const std::vector<std::string>& filters) {
  SearchFilter result;
  for (const std::string& filter : filters) {
    const std::size_t equals = std::min(filter.find('='), filter.size());
    const std::string key = filter.substr(0, equals);
    const std::string value = equals < filter.size() ? filter.substr(equals + 1) : "";
    if (key == "stars") {
      if (equals == filter.size())
        throw Error(Kind::invalid_input,
                    fmt::format("invalid filter [{}], should be stars=<value>", common::quote(filter)));
      if (value.empty() || value.size() > 9 || value.find_first_not_of("0123456789") != std::string::npos)
        throw Error(Kind::invalid_input,
                    fmt::format("incorrect value type for stars filter: strconv.Atoi: parsing {}: invalid syntax",
                                common::quote(value)));
      result.stars = std::stol(value);
    } else if (key == "is-official") {
      result.official = value != "false";
    } else if (key == "is-automated") {
      result.automated = value != "false";
    } else {
      throw Error(Kind::invalid_input, fmt::format("invalid filter type \"{}\"", filter));
    }
  }
  return result;
}

// What is searched: the registry that the term begins with, or those of registries.conf. Terms are no names:
// anything may follow the first slash.
struct SearchPlan {
  std::vector<std::string> registries;
  std::string term;
};

SearchPlan search_plan(const std::string& argument, const config::RegistriesConf& registries) {
  const std::size_t slash = argument.find('/');
  if (slash == std::string::npos) return {registries.unqualified_search_registries(), argument};
  return {{argument.substr(0, slash)}, argument.substr(slash + 1)};
}

// "docker.io" of "index.docker.io".
std::string index_of(const std::string& registry) {
  const std::size_t last = registry.rfind('.');
  if (last == std::string::npos || last == 0) return registry;
  const std::size_t before = registry.rfind('.', last - 1);
  return before == std::string::npos ? registry : registry.substr(before + 1);
}

Json row_of_hit(const std::string& registry, const registry::Client::SearchHit& hit) {
  std::string name = registry + "/" + hit.name;
  if (index_of(registry) == docker_hub && hit.name.find('/') == std::string::npos)
    name = std::string(docker_hub) + "/library/" + hit.name;
  std::string description = hit.description;
  std::replace(description.begin(), description.end(), '\n', ' ');
  return {{"Index", registry},
          {"Name", name},
          {"Description", description},
          {"Stars", hit.stars},
          {"Official", hit.is_official ? "[OK]" : ""},
          {"Automated", hit.is_automated ? "[OK]" : ""},
          {"Tag", ""}};
}

class Search {
 public:
  Search(engines::EngineSession& session, SearchPlan plan) : session_(session), plan_(std::move(plan)) {
    const auto limit = flags().find_integer("limit").value_or(0);
    if (limit > 0) limit_ = static_cast<std::size_t>(limit);
    filter_ = search_filter(flags().list("filter"));
  }

  // One registry that answers is enough.
  Json rows() {
    Json rows = Json::array();
    std::vector<std::string> errors;
    for (const std::string& registry : plan_.registries) {
      try {
        for (Json& row : flags().flag("list-tags") ? tag_rows(registry) : hit_rows(registry))
          rows.push_back(std::move(row));
      } catch (const Error& error) {
        errors.emplace_back(error.what());
      }
    }
    if (!rows.empty() || errors.empty()) return rows;
    std::string text = errors.size() == 1 ? std::string("1 error occurred:\n")
                                          : fmt::format("{} errors occurred:\n", errors.size());
    for (const std::string& error : errors) text += fmt::format("\t* {}\n", error);
    throw Error(Kind::unavailable, text + "\n");
  }

 private:
  const Flags& flags() const { return session_.invocation().flags; }

  std::vector<Json> hit_rows(const std::string& registry) {
    const bool is_hub = registry == docker_hub;
    const std::string term = is_hub && plan_.term.starts_with("library/") ? plan_.term.substr(8) : plan_.term;
    const auto client =
        registry::Client::make(is_hub ? "index.docker.io" : registry, "", registry::Access::pull,
                               session_.session().registry_options(""));
    std::vector<Json> rows;
    for (const auto& hit : client->search(session_.context(), term, limit_))
      if (filter_(hit)) rows.push_back(row_of_hit(registry, hit));
    return rows;
  }

  std::vector<Json> tag_rows(const std::string& registry) {
    const std::string text = registry + "/" + plan_.term;
    const auto repository = spec::Reference::parse(text).without_tag_or_digest();
    const transport::DockerReference reference(repository.with_default_tag());
    const auto tags = in_context("getting repository tags", [&] {
      return transport::list_docker_tags(session_.context(), repository,
                                         session_.session().transport_options("", reference));
    });
    std::vector<Json> rows;
    for (const std::string& tag : tags) {
      if (rows.size() == limit_) break;
      rows.push_back({{"Index", registry},
                      {"Name", repository.name()},
                      {"Description", ""},
                      {"Stars", 0},
                      {"Official", ""},
                      {"Automated", ""},
                      {"Tag", tag}});
    }
    return rows;
  }

  engines::EngineSession& session_;
  SearchPlan plan_;
  SearchFilter filter_;
  std::size_t limit_ = default_search_limit;
};

// [{"Name": ..., "Tags": [...]}]
Json grouped_tags(const Json& rows) {
  Json groups = Json::array();
  for (const Json& row : rows) {
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const Json& group) { return group["Name"] == row["Name"]; });
    if (same == groups.end())
      groups.push_back({{"Name", row["Name"]}, {"Tags", Json::array({row["Tag"]})}});
    else
      (*same)["Tags"].push_back(row["Tag"]);
  }
  return groups;
}

void shorten_descriptions(Json& rows) {
  for (Json& row : rows) {
    std::string text = row["Description"].get<std::string>();
    if (text.size() <= description_limit) continue;
    text.resize(description_limit);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    row["Description"] = text + "...";
  }
}

int run_search(Invocation& invocation) {
  engines::require_exactly(invocation, 1);
  const Flags& flags = invocation.flags;
  const bool tags = flags.flag("list-tags");
  if (tags && flags.given("filter"))
    throw Error(Kind::invalid_input, "filters are not applicable to list tags result");
  engines::EngineSession session(invocation);
  Search search(session, search_plan(invocation.arguments[0], session.registries()));
  Json rows = search.rows();
  if (rows.empty()) return 0;
  std::string format = flags.text("format");
  if (common::is_json_format(format)) {
    invocation.out.line(spec::dump_json(tags ? grouped_tags(rows) : rows, 4));
    return 0;
  }
  if (!flags.flag("no-trunc")) shorten_descriptions(rows);
  if (format.empty()) {
    format = tags ? "table {{.Name}}\t{{.Tag}}" : "table {{.Name}}\t{{.Description}}";
    if (!tags && flags.flag("compatible")) format += "\t{{.Stars}}\t{{.Official}}\t{{.Automated}}";
  }
  invocation.out.write(common::render_rows("search", format, rows, search_type, search_headings()));
  return 0;
}

common::Command search_named(std::string_view name) {
  return {.name = name,
          .summary = "Search registry for image",
          .description =
              "Searches a registry, or those of registries.conf, for images: by the registry's own search, or "
              "in its catalog.",
          .synopsis = "[options] TERM",
          .example =
              "search --filter=is-official --limit 3 alpine\nsearch --list-tags registry.example.com/image",
          .argument = common::ArgumentHint::registry,
          .options = options_of_search,
          .run = run_search,
          .needs_namespace = common::needs_no_namespace};
}

}  // namespace

const common::Command search_command = search_named("search");
const common::Command image_search_command = search_named("image search");

}  // namespace lade::podman
