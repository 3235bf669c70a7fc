#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "common/go_text.hpp"
#include "common/report.hpp"
#include "engine/image_filters.hpp"
#include "engines/front.hpp"
#include "podman/commands.hpp"
#include "spec/time.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using engine::LocalImages;
using spec::Json;
using store::ImageRecord;
namespace go = common::gotemplate;

constexpr std::string_view none = "<none>";

// What templates may name. Members of the embedded ImageSummary are here too.
constexpr GoField summary_fields[] = {
    {"ID", "ID", &go::string_type},
    {"ParentId", "ParentId", &go::string_type},
    {"RepoTags", "RepoTags", &go::strings_type},
    {"RepoDigests", "RepoDigests", &go::strings_type},
    {"Created", "createdUnix", &go::integer_type},
    {"Size", "size", &go::integer_type},
    {"SharedSize", "SharedSize", &go::integer_type},
    {"VirtualSize", "VirtualSize", &go::integer_type},
    {"Labels", "Labels", &go::string_map_type},
    {"Containers", "Containers", &go::integer_type},
    {"ReadOnly", "ReadOnly", &go::boolean_type},
    {"Dangling", "Dangling", &go::boolean_type},
    {"Names", "Names", &go::strings_type},
    {"Digest", "Digest", &go::string_type},
    {"History", "history", &go::strings_type},
};
constexpr GoType summary_type{go::Shape::structure, "entities.ImageSummary", nullptr, summary_fields};
constexpr GoField row_fields[] = {
    {"Repository", "Repository", &go::string_type},
    {"Tag", "Tag", &go::string_type},
    {"ID", "id", &go::string_type},
    {"Id", "Id", &go::string_type},
    {"Created", "CreatedSince", &go::string_type},
    {"CreatedSince", "CreatedSince", &go::string_type},
    {"CreatedAt", "CreatedAt", &go::string_type},
    {"CreatedTime", "CreatedAt", &go::string_type},
    {"Size", "Size", &go::string_type},
    {"History", "History", &go::string_type},
    {"ImageSummary", "summary", &summary_type},
    {"ParentId", "ParentId", &go::string_type},
    {"RepoTags", "RepoTags", &go::strings_type},
    {"RepoDigests", "RepoDigests", &go::strings_type},
    {"SharedSize", "SharedSize", &go::integer_type},
    {"VirtualSize", "VirtualSize", &go::integer_type},
    {"Labels", "Labels", &go::string_map_type},
    {"Containers", "Containers", &go::integer_type},
    {"ReadOnly", "ReadOnly", &go::boolean_type},
    {"Dangling", "Dangling", &go::boolean_type},
    {"Names", "Names", &go::strings_type},
    {"Digest", "Digest", &go::string_type},
};
constexpr GoType row_type{go::Shape::structure, "images.imageReporter", nullptr, row_fields};

const Json& headings() {
  static const Json map = {{"Repository", "REPOSITORY"},
                           {"Tag", "TAG"},
                           {"ID", "IMAGE ID"},
                           {"Created", "CREATED"},
                           {"CreatedSince", "CREATED"},
                           {"CreatedAt", "CREATED AT"},
                           {"CreatedTime", "CREATED TIME"},
                           {"Size", "SIZE"},
                           {"History", "HISTORY"},
                           {"ParentId", "PARENT ID"},
                           {"RepoTags", "REPO TAGS"},
                           {"RepoDigests", "REPO DIGESTS"},
                           {"SharedSize", "SHARED SIZE"},
                           {"VirtualSize", "VIRTUAL SIZE"},
                           {"Labels", "LABELS"},
                           {"Containers", "CONTAINERS"},
                           {"ReadOnly", "R/O"},
                           {"Dangling", "DANGLING"},
                           {"Names", "NAMES"},
                           {"Digest", "DIGEST"}};
  return map;
}

struct Row {
  const ImageRecord* image;
  std::string repository, tag;
  std::int64_t created;
  std::uint64_t size;
};

std::vector<Option> image_list_options() {
  return {
      {.name = "all", .short_name = 'a', .help = "Show all images (default hides intermediate images)"},
      {.name = "digests", .help = "Show digests"},
      {.name = "filter",
       .short_name = 'f',
       .kind = ValueKind::list,
       .help = "Filter output based on conditions provided"},
      {.name = "format",
       .kind = ValueKind::text,
       .help = "Change the output format to JSON or a Go template"},
      {.name = "history", .help = "Display the image name history"},
      {.name = "no-trunc", .help = "Do not truncate output"},
      {.name = "noheading", .short_name = 'n', .help = "Do not print column headings"},
      {.name = "quiet", .short_name = 'q', .help = "Display only image IDs"},
      {.name = "sort",
       .kind = ValueKind::text,
       .help = "Sort by size, tag, created, id, repository (default created)",
       .choices = {"created", "id", "repository", "size", "tag"}},
  };
}

std::vector<Row> rows_of(const LocalImages& images, const std::vector<std::string>& filters) {
  const auto filter = engine::compile_image_filters(images, filters);
  std::vector<Row> rows;
  for (const ImageRecord& image : images.all()) {
    if (!filter(image)) continue;
    const auto created =
        std::chrono::floor<std::chrono::seconds>(images.created(image)).time_since_epoch().count();
    const std::uint64_t size = images.size(image);
    const auto names = engine::names_asked_for(image, filters);
    if (names.empty()) rows.push_back({&image, std::string(none), std::string(none), created, size});
    const auto is_tagged = [](const std::string& name) { return !engine::split_name(name).tag.empty(); };
    const bool any_tagged = std::any_of(names.begin(), names.end(), is_tagged);
    for (const std::string& name : names) {
      const auto parts = engine::split_name(name);
      // A name with a digest is shown where there is no other, and once.
      if (any_tagged && parts.tag.empty()) continue;
      rows.push_back(
          {&image, parts.repository, parts.tag.empty() ? std::string(none) : parts.tag, created, size});
      if (!any_tagged) break;
    }
  }
  return rows;
}

void sort_rows(std::vector<Row>& rows, const std::string& key) {
  const auto by = [&](auto less) { std::stable_sort(rows.begin(), rows.end(), less); };
  if (key == "id") return by([](const Row& a, const Row& b) { return a.image->id < b.image->id; });
  if (key == "repository")
    return by([](const Row& a, const Row& b) {
      return std::tie(a.repository, a.tag) < std::tie(b.repository, b.tag);
    });
  if (key == "size") return by([](const Row& a, const Row& b) { return a.size < b.size; });
  if (key == "tag") return by([](const Row& a, const Row& b) { return a.tag < b.tag; });
  if (key == "created") return by([](const Row& a, const Row& b) { return a.created > b.created; });
  throw Error(Kind::invalid_input,
              fmt::format("invalid argument \"{0}\" for \"--sort\" flag: \"{0}\" is not a valid value.  Choose "
                          "from: \"created, id, repository, size, tag\"",
                          key));
}

Json summary_json(const LocalImages& images, const Row& row) {
  const ImageRecord& image = *row.image;
  const ImageRecord* parent = images.parent(image);
  const auto labels = images.labels(image);
  Json json = Json::object();
  json["Id"] = image.id;
  json["ParentId"] = parent == nullptr ? "" : parent->id;
  json["RepoTags"] = nullptr;
  json["RepoDigests"] = images.repo_digests(image);
  json["Size"] = row.size;
  json["SharedSize"] = 0;
  json["VirtualSize"] = row.size;
  json["Labels"] = labels.empty() ? Json(nullptr) : Json(labels);
  json["Containers"] = images.containers_of(image).size();
  if (images.is_read_only(image)) json["ReadOnly"] = true;
  if (images.is_dangling(image)) json["Dangling"] = true;
  if (!image.digest.empty()) json["Digest"] = image.digest;
  if (!image.names_history.empty()) json["History"] = image.names_history;
  if (!image.names.empty()) json["Names"] = image.names;
  json["Created"] = row.created;
  json["CreatedAt"] = spec::format_time(row.created);
  return json;
}

// What {{json .}} prints.
Json json_view_of(const Row& row, const Json& summary) {
  Json view = {{"repository", row.repository}, {"tag", row.tag}};
  for (const char* name : {"Id", "ParentId"}) view[name] = summary[name];
  view["RepoTags"] = row.image->names;
  view["RepoDigests"] = summary["RepoDigests"];
  view["Created"] = row.created;
  for (const auto& [name, value] : summary.items())
    if (name != "Created" && name != "CreatedAt" && !view.contains(name)) view[name] = value;
  return view;
}

Json row_json(const LocalImages& images, const Row& row, bool truncate) {
  const ImageRecord& image = *row.image;
  Json summary = summary_json(images, row);
  Json json = summary;
  const auto age = images.context().clock.now().time_since_epoch() - std::chrono::seconds(row.created);
  json["Repository"] = row.repository;
  json["Tag"] = row.tag;
  json["id"] = truncate ? engines::shorten_id(image.id) : "sha256:" + image.id;
  json["CreatedSince"] = engine::human_duration(age) + " ago";
  json["CreatedAt"] = common::show_time(spec::format_time(row.created));
  json["Size"] = engine::human_size(static_cast<double>(row.size), " ", 3);
  json["History"] = fmt::format("{}", fmt::join(image.names_history, ", "));
  json[std::string(go::json_view)] = json_view_of(row, summary);
  summary["ID"] = image.id;
  summary["createdUnix"] = row.created;
  summary["size"] = row.size;
  summary["history"] = image.names_history;
  json["summary"] = std::move(summary);
  return json;
}

void print_json(const LocalImages& images, const std::vector<Row>& rows, common::Output& out) {
  Json all = Json::array();
  for (const Row& row : rows) all.push_back(summary_json(images, row));
  out.line(spec::dump_json(all, 4));
}

void print_ids(const std::vector<Row>& rows, bool truncate, common::Output& out) {
  std::set<std::string> seen;
  for (const Row& row : rows) {
    if (!seen.insert(row.image->id).second) continue;
    out.line(truncate ? engines::shorten_id(row.image->id) : "sha256:" + row.image->id);
  }
}

std::string default_format(const common::Flags& flags, bool with_read_only) {
  std::string format = "table {{.Repository}}\t{{.Tag}}\t";
  if (flags.flag("digests")) format += "{{.Digest}}\t";
  format += "{{.ID}}\t{{.Created}}\t{{.Size}}";
  if (flags.flag("history")) format += "\t{{if .History}}{{.History}}{{else}}<none>{{end}}";
  if (with_read_only) format += "\t{{.ReadOnly}}";
  return format;
}

// Go's name of the template: the last word of the command's.
std::string_view template_name(std::string_view command) {
  return command.substr(command.rfind(' ') + 1);
}

bool asks_for_intermediate(const std::vector<std::string>& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const std::string& filter) {
    return filter.starts_with("intermediate=") || filter.starts_with("intermediate!=");
  });
}

int run_images(Invocation& invocation) {
  engines::require_at_most(invocation, 1);
  const auto& flags = invocation.flags;
  std::vector<std::string> filters = flags.list("filter");
  if (!invocation.arguments.empty()) {
    if (!filters.empty()) throw Error(Kind::invalid_input, "cannot specify an image and a filter(s)");
    filters.push_back("reference=" + invocation.arguments[0]);
  }
  engines::EngineSession session(invocation);
  const LocalImages images = session.images();
  if (!flags.flag("all") && !asks_for_intermediate(filters)) filters.push_back("intermediate=false");
  std::vector<Row> rows = rows_of(images, filters);
  sort_rows(rows, flags.find_text("sort").value_or("created"));
  const bool truncate = !flags.flag("no-trunc");
  const std::string format = flags.text("format");
  if (common::is_json_format(format)) {
    print_json(images, rows, invocation.out);
  } else if (flags.flag("quiet")) {
    print_ids(rows, truncate, invocation.out);
  } else {
    const bool with_read_only = std::any_of(rows.begin(), rows.end(),
                                            [&](const Row& row) { return images.is_read_only(*row.image); });
    Json table = Json::array();
    for (const Row& row : rows) table.push_back(row_json(images, row, truncate));
    invocation.out.write(common::render_rows(template_name(invocation.command.name),
                                             format.empty() ? default_format(flags, with_read_only) : format,
                                             table, row_type,
                                             flags.flag("noheading") ? Json::object() : headings()));
  }
  return 0;
}

int run_exists(Invocation& invocation) {
  engines::require_exactly(invocation, 1);
  engines::EngineSession session(invocation);
  return session.images().find(invocation.arguments[0]) ? 0 : engines::exit_no_such_image;
}

common::Command list_named(std::string_view name, std::vector<std::string_view> aliases) {
  return {.name = name,
          .summary = "List images in local storage",
          .description = "Lists images previously pulled to the system or created on the system.",
          .synopsis = "[options] [IMAGE]",
          .example =
              "images --format json\n"
              "images --sort repository --format \"table {{.ID}} {{.Repository}} {{.Tag}}\"\n"
              "images --filter dangling=true",
          .argument = common::ArgumentHint::image,
          .options = image_list_options,
          .run = run_images,
          .aliases = std::move(aliases),
          .needs_namespace = engines::needs_namespace_without_store};
}

}  // namespace

const common::Command images_command = list_named("images", {});
const common::Command image_list_command = list_named("image list", {"image ls"});

const common::Command image_exists_command{
    .name = "image exists",
    .summary = "Check if an image exists in local storage",
    .description = "Exits with 0 if the image is there, with 1 otherwise.",
    .synopsis = "IMAGE",
    .example = "image exists imageID",
    .argument = common::ArgumentHint::image,
    .run = run_exists,
    .needs_namespace = engines::needs_namespace_without_store};

}  // namespace lade::podman
