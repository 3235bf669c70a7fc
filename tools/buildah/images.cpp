#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "buildah/commands.hpp"
#include "common/go_text.hpp"
#include "common/report.hpp"
#include "common/template/evaluate.hpp"
#include "engine/image_filters.hpp"
#include "engines/front.hpp"

namespace lade::buildah {
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

constexpr std::string_view nameless = "<none>";
constexpr std::size_t column_gap = 3;

constexpr GoField image_fields[] = {
    {"Name", "Name", &go::string_type},
    {"Tag", "Tag", &go::string_type},
    {"ID", "ID", &go::string_type},
    {"Digest", "Digest", &go::string_type},
    {"Created", "Created", &go::integer_type},
    {"CreatedAt", "CreatedAt", &go::string_type},
    {"CreatedAtRaw", "CreatedAtRaw", &go::time_type},
    {"Size", "Size", &go::string_type},
    {"ReadOnly", "ReadOnly", &go::boolean_type},
    {"History", "History", &go::string_type},
};
constexpr GoType image_type{go::Shape::structure, "main.imageOutputParams", nullptr, image_fields};

const Json& titles() {
  static const Json map = {{"Name", "REPOSITORY"},      {"Tag", "TAG"},         {"ID", "IMAGE ID"},
                           {"Digest", "DIGEST"},        {"Created", "CREATED"}, {"CreatedAt", "CREATED"},
                           {"CreatedAtRaw", "CREATED"}, {"Size", "SIZE"},       {"ReadOnly", "R/O"},
                           {"History", "HISTORY"}};
  return map;
}

std::vector<Option> images_options() {
  return {
      {.name = "all",
       .short_name = 'a',
       .help = "show all images, including intermediate images from a build"},
      {.name = "digests", .help = "show digests"},
      {.name = "filter",
       .short_name = 'f',
       .kind = ValueKind::list,
       .help = "filter output based on conditions provided"},
      {.name = "format", .kind = ValueKind::text, .help = "pretty-print images using a Go template"},
      {.name = "history", .help = "display the image name history"},
      {.name = "json", .help = "output in JSON format"},
      {.name = "no-trunc", .help = "do not truncate output"},
      {.name = "noheading", .short_name = 'n', .help = "do not print column headings"},
      {.name = "quiet", .short_name = 'q', .help = "display only image IDs"},
  };
}

// "13.4 KB": powers of 1000, three significant digits.
std::string size_text(std::uint64_t bytes) {
  static constexpr std::string_view units[] = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{:.3g} {}", value, units[unit]);
}

std::string age_text(const LocalImages& images, const ImageRecord& image) {
  return engine::human_duration(images.context().clock.now() - images.created(image)) + " ago";
}

// Earlier names: the newest is left out if it is the one that the row shows.
std::string history_text(const ImageRecord& image, const std::string& name) {
  auto names = image.names_history;
  if (!names.empty() && names.front() == name) names.erase(names.begin());
  return names.empty() ? std::string(nameless) : fmt::format("{}", fmt::join(names, ", "));
}

std::string id_text(const ImageRecord& image, bool truncate) {
  return truncate ? engines::shorten_id(image.id) : "sha256:" + image.id;
}

Json row_json(const LocalImages& images, const ImageRecord& image, const std::string& name, bool truncate) {
  const auto parts = engine::split_name(name);
  const auto created = std::chrono::floor<std::chrono::seconds>(images.created(image));
  return {{"Name", parts.repository.empty() ? std::string(nameless) : parts.repository},
          {"Tag", parts.tag.empty() ? std::string(nameless) : parts.tag},
          {"ID", id_text(image, truncate)},
          {"Digest", image.digest},
          {"Created", created.time_since_epoch().count()},
          {"CreatedAt", age_text(images, image)},
          {"CreatedAtRaw", image.created},
          {"Size", size_text(images.size(image))},
          {"ReadOnly", images.is_read_only(image)},
          {"History", history_text(image, name)}};
}

void print_json(const LocalImages& images, const std::vector<const ImageRecord*>& chosen, bool truncate,
                common::Output& out) {
  Json all = Json::array();
  for (const ImageRecord* image : chosen) {
    Json json;
    json["id"] = id_text(*image, truncate);
    json["names"] = image->names.empty() ? Json(nullptr) : Json(image->names);
    json["digest"] = image->digest;
    json["createdat"] = age_text(images, *image);
    json["size"] = size_text(images.size(*image));
    json["created"] =
        std::chrono::floor<std::chrono::seconds>(images.created(*image)).time_since_epoch().count();
    json["createdatraw"] = image->created;
    json["readonly"] = images.is_read_only(*image);
    json["history"] = nullptr;
    all.push_back(std::move(json));
  }
  out.line(spec::dump_json(all, 4));
}

std::string default_format(const common::Flags& flags, bool with_read_only) {
  std::string format = "table {{.Name}}\t{{.Tag}}\t";
  if (flags.flag("digests")) format += "{{.Digest}}\t";
  format += "{{.ID}}\t{{.CreatedAt}}\t{{.Size}}";
  if (with_read_only) format += "\t{{.ReadOnly}}";
  if (flags.flag("history")) format += "\t{{.History}}";
  return format;
}

// Blanks of the template are borders of columns, whether or not it begins with "table".
void print_rows(std::string format, bool with_titles, const Json& rows, common::Output& out) {
  constexpr std::string_view table = "table ";
  const bool is_table = format.starts_with(table);
  if (is_table) format.erase(0, table.size());
  std::string text;
  for (std::size_t i = 0, depth = 0; i < format.size(); ++i) {
    if (format.compare(i, 2, "\\t") == 0) {
      text += '\t';
      ++i;
      continue;
    }
    if (format.compare(i, 2, "{{") == 0) ++depth;
    if (format.compare(i, 2, "}}") == 0 && depth > 0) --depth;
    text += format[i] == ' ' && depth == 0 ? '\t' : format[i];
  }
  text = "{{range .}}" + text + "\n{{end}}";
  const GoType list{go::Shape::list, "[]interface {}", &image_type};
  const GoType title_list{go::Shape::list, "[]interface {}", &go::string_map_type};
  std::string lines;
  if (is_table && with_titles)
    lines = go::render("list", text, go::Value(Json::array({titles()}), title_list));
  lines += go::render("list", text, go::Value(rows, list));
  out.write(common::align_columns(lines, 0, column_gap));
}

std::vector<const ImageRecord*> choose_images(const LocalImages& images, const Invocation& invocation) {
  std::vector<std::string> filters = invocation.flags.list("filter");
  const bool asked = std::any_of(filters.begin(), filters.end(), [](const std::string& filter) {
    return filter.starts_with("intermediate=") || filter.starts_with("intermediate!=");
  });
  if (!invocation.flags.flag("all") && !asked) filters.push_back("intermediate=false");
  std::string wanted;
  if (!invocation.arguments.empty()) wanted = images.get(invocation.arguments[0]).image->id;
  const auto filter = engine::compile_image_filters(images, filters);
  std::vector<const ImageRecord*> chosen;
  for (const ImageRecord& image : images.all())
    if ((wanted.empty() || image.id == wanted) && filter(image)) chosen.push_back(&image);
  return chosen;
}

int run_images(Invocation& invocation) {
  engines::require_flags_first(invocation);
  const auto& flags = invocation.flags;
  if (invocation.arguments.size() > 1)
    throw Error(Kind::invalid_input,
                fmt::format("'{} images' requires at most 1 argument", invocation.program.name));
  engines::EngineSession session(invocation);
  const LocalImages images = session.images();
  auto chosen = choose_images(images, invocation);
  const bool truncate = !flags.flag("no-trunc");
  if (flags.flag("json")) {
    print_json(images, chosen, truncate, invocation.out);
    return 0;
  }
  std::stable_sort(chosen.begin(), chosen.end(), [&](const ImageRecord* a, const ImageRecord* b) {
    return images.created(*a) > images.created(*b);
  });
  if (flags.flag("quiet")) {
    for (const ImageRecord* image : chosen) invocation.out.line(id_text(*image, truncate));
    return 0;
  }
  Json rows = Json::array();
  bool with_read_only = false;
  for (const ImageRecord* image : chosen) {
    with_read_only = with_read_only || images.is_read_only(*image);
    if (image->names.empty()) rows.push_back(row_json(images, *image, "", truncate));
    for (const std::string& name : image->names) rows.push_back(row_json(images, *image, name, truncate));
  }
  const std::string format = flags.text("format");
  print_rows(format.empty() ? default_format(flags, with_read_only) : format,
             !format.empty() || !flags.flag("noheading"), rows, invocation.out);
  return 0;
}

}  // namespace

const common::Command images_command{.name = "images",
                                     .summary = "List images in local storage",
                                     .description = "Lists locally stored images.",
                                     .synopsis = "[flags] [IMAGE]",
                                     .example = "images --all\nimages --format '{{.ID}} {{.Name}} {{.Size}}'",
                                     .argument = common::ArgumentHint::image,
                                     .options = images_options,
                                     .run = run_images,
                                     .runs_program = true,
                                     .needs_namespace = engines::needs_namespace_without_store};

}  // namespace lade::buildah
