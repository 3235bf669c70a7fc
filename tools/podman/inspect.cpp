#include <fmt/format.h>

#include <algorithm>

#include "common/go_text.hpp"
#include "common/report.hpp"
#include "engine/image_report.hpp"
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
using spec::Json;
namespace go = common::gotemplate;

constexpr int inspect_indent = 5;
constexpr std::size_t created_by_limit = 45;

const Json& history_headings() {
  static const Json map = {{"ID", "ID"},
                           {"Created", "CREATED"},
                           {"CreatedAt", "CREATED AT"},
                           {"CreatedSince", "CREATED"},
                           {"CreatedBy", "CREATED BY"},
                           {"Size", "SIZE"},
                           {"Comment", "COMMENT"},
                           {"Tags", "TAGS"}};
  return map;
}

constexpr GoField history_fields[] = {
    {"ID", "ID", &go::string_type},
    {"Created", "Created", &go::string_type},
    {"CreatedAt", "CreatedAt", &go::string_type},
    {"CreatedSince", "CreatedSince", &go::string_type},
    {"CreatedBy", "CreatedBy", &go::string_type},
    {"Size", "Size", &go::string_type},
    {"Comment", "Comment", &go::string_type},
    {"Tags", "Tags", &go::strings_type},
};
constexpr GoType history_type{go::Shape::structure, "images.historyReporter", nullptr, history_fields};

std::vector<Option> options_of_image_inspect() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .help = "Format the output to a Go template or json"}};
}

std::vector<Option> options_of_inspect() {
  auto options = options_of_image_inspect();
  options.push_back({.name = "type",
                     .short_name = 't',
                     .kind = ValueKind::text,
                     .help = "what the names are of: all or image; all finds images only",
                     .choices = {"all", "image"}});
  return options;
}

constexpr GoField image_fields[] = {
    {"Id", "Id", &go::string_type},
    {"Digest", "Digest", &go::string_type},
    {"RepoTags", "RepoTags", &go::strings_type},
    {"RepoDigests", "RepoDigests", &go::strings_type},
    {"Parent", "Parent", &go::string_type},
    {"Comment", "Comment", &go::string_type},
    {"Created", "Created", &go::string_type},
    {"Config", "Config", &go::any_type},
    {"Version", "Version", &go::string_type},
    {"Author", "Author", &go::string_type},
    {"Architecture", "Architecture", &go::string_type},
    {"Os", "Os", &go::string_type},
    {"Size", "Size", &go::integer_type},
    {"VirtualSize", "VirtualSize", &go::integer_type},
    {"GraphDriver", "GraphDriver", &go::any_type},
    {"RootFS", "RootFS", &go::any_type},
    {"Labels", "Labels", &go::string_map_type},
    {"Annotations", "Annotations", &go::string_map_type},
    {"ManifestType", "ManifestType", &go::string_type},
    {"User", "User", &go::string_type},
    {"History", "History", &go::any_type},
    {"NamesHistory", "NamesHistory", &go::strings_type},
    {"HealthCheck", "Healthcheck", &go::any_type},
};
constexpr GoType image_type{go::Shape::structure, "interface {}", nullptr, image_fields};

// Times are shown as Go shows them.
go::Value template_value(Json json) {
  if (json["Created"].is_string()) json["Created"] = common::show_time(json["Created"].get<std::string>());
  return go::Value(std::move(json), image_type);
}

int inspect(Invocation& invocation, bool images_only) {
  if (invocation.arguments.empty()) throw Error(Kind::invalid_input, "no names or ids specified");
  engines::EngineSession session(invocation);
  const auto images = session.images();
  Json all = Json::array();
  std::vector<Error> errors;
  for (const std::string& name : invocation.arguments) {
    try {
      const auto found = images.find(name);
      if (!found && images_only)
        throw Error(Kind::image_not_found, fmt::format("inspecting object: {}: image not known", name));
      if (!found)
        throw Error(Kind::image_not_found, fmt::format("inspecting object: no such object: \"{}\"", name));
      all.push_back(engine::inspect_image(images, *found->image));
    } catch (const Error& error) {
      errors.push_back(error);
    }
  }
  const std::string format = invocation.flags.text("format");
  if (format.empty() || common::is_json_format(format)) {
    invocation.out.line(spec::dump_json(all, inspect_indent));
  } else {
    for (Json& json : all)
      invocation.out.write(common::render_report("inspect", format, template_value(std::move(json))));
  }
  invocation.out.flush();
  return errors.empty() ? 0 : engines::fail(engines::exit_engine_error, engines::join_errors(errors));
}

int run_image_inspect(Invocation& invocation) {
  return inspect(invocation, true);
}

int run_inspect(Invocation& invocation) {
  const std::string type = invocation.flags.find_text("type").value_or("all");
  if (type != "all" && type != "image" && type != "container" && type != "volume" && type != "network" &&
      type != "pod")
    throw Error(Kind::invalid_input, fmt::format("invalid type \"{}\" is not valid", type));
  if (type != "all" && type != "image")
    throw Error(Kind::unsupported, fmt::format("inspect --type {} is not available in lade yet", type));
  return inspect(invocation, type == "image");
}

std::vector<Option> options_of_history() {
  return {{.name = "format", .kind = ValueKind::text, .help = "Change the output to JSON or a Go template"},
          {.name = "human", .short_name = 'H', .help = "Display dates as ages (default true)"},
          {.name = "no-trunc", .help = "Do not truncate the output"},
          {.name = "quiet", .short_name = 'q', .help = "Display the numeric IDs only"}};
}

std::string whole_seconds(const std::string& created) {
  const std::string full = spec::time_or_zero(created);
  const std::size_t dot = full.find('.');
  return dot == std::string::npos ? full : full.substr(0, dot) + "Z";
}

std::string id_shown(const engine::HistoryEntry& entry, bool truncate) {
  if (entry.id.empty()) return "<missing>";
  return truncate ? engines::shorten_id(entry.id) : entry.id;
}

void print_history_json(const std::vector<engine::HistoryEntry>& history, common::Output& out) {
  Json all = Json::array();
  for (const auto& entry : history) {
    Json json;
    json["id"] = id_shown(entry, false);
    json["created"] = spec::time_or_zero(entry.created);
    json["CreatedBy"] = entry.created_by;
    json["size"] = entry.size;
    json["comment"] = entry.comment;
    json["Created"] = whole_seconds(entry.created);
    all.push_back(std::move(json));
  }
  out.line(spec::dump_json(all));
}

Json history_row(const Context& context, const engine::HistoryEntry& entry, bool truncate, bool human) {
  const std::string since =
      engine::human_duration(context.clock.now() - engine::time_or_epoch(entry.created)) + " ago";
  std::string created_by = entry.created_by;
  if (truncate && created_by.size() > created_by_limit)
    created_by = created_by.substr(0, created_by_limit - 3) + "...";
  return {{"ID", id_shown(entry, truncate)},
          {"Created", human ? since : whole_seconds(entry.created)},
          {"CreatedAt", common::show_time(whole_seconds(entry.created))},
          {"CreatedSince", since},
          {"CreatedBy", created_by},
          {"Size", engine::human_size(static_cast<double>(entry.size), " ", 3)},
          {"Comment", entry.comment},
          {"Tags", Json::array()}};
}

int run_history(Invocation& invocation) {
  engines::require_exactly(invocation, 1);
  engines::EngineSession session(invocation);
  const auto images = session.images();
  const auto history = engine::image_history(images, *images.get(invocation.arguments[0]).image);
  const auto& flags = invocation.flags;
  const bool truncate = !flags.flag("no-trunc");
  const std::string format = flags.text("format");
  if (common::is_json_format(format)) {
    print_history_json(history, invocation.out);
    return 0;
  }
  if (flags.flag("quiet")) {
    for (const auto& entry : history) invocation.out.line(id_shown(entry, truncate));
    return 0;
  }
  Json rows = Json::array();
  for (const auto& entry : history)
    rows.push_back(history_row(session.context(), entry, truncate, flags.find_flag("human").value_or(true)));
  invocation.out.write(common::render_rows(
      "history",
      format.empty() ? "table {{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}" : format, rows,
      history_type, history_headings()));
  return 0;
}

common::Command history_named(std::string_view name) {
  return {.name = name,
          .summary = "Show history of a specified image",
          .description = "Displays the history of an image, the newest step first.",
          .synopsis = "[options] IMAGE",
          .example = "history quay.io/fedora/fedora",
          .argument = common::ArgumentHint::image,
          .options = options_of_history,
          .run = run_history,
          .needs_namespace = engines::needs_namespace_without_store};
}

}  // namespace

const common::Command inspect_command{
    .name = "inspect",
    .summary = "Display the configuration of an image",
    .description = "Displays what is known of images, as JSON.",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .example = "inspect fedora\ninspect --type image --format '{{.Id}}' fedora",
    .argument = common::ArgumentHint::image,
    .options = options_of_inspect,
    .run = run_inspect,
    .needs_namespace = engines::needs_namespace_without_store};
const common::Command image_inspect_command{.name = "image inspect",
                                            .summary = "Display the configuration of an image",
                                            .description = "Displays what is known of images, as JSON.",
                                            .synopsis = "[options] IMAGE [IMAGE...]",
                                            .example = "image inspect --format '{{.Id}}' fedora",
                                            .argument = common::ArgumentHint::image,
                                            .options = options_of_image_inspect,
                                            .run = run_image_inspect,
                                            .needs_namespace = engines::needs_namespace_without_store};
const common::Command history_command = history_named("history");
const common::Command image_history_command = history_named("image history");

}  // namespace lade::podman
