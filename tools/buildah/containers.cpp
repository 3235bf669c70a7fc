#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "buildah/commands.hpp"
#include "buildah/working.hpp"
#include "common/report.hpp"
#include "common/template/evaluate.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using spec::Json;
namespace go = common::gotemplate;

constexpr std::size_t name_width = 32;
constexpr std::string_view mark = "   *";  // of buildah's own containers
constexpr std::string_view scratch = "scratch";

constexpr GoField container_fields[] = {
    {"ContainerID", "ContainerID", &go::string_type},
    {"Builder", "Builder", &go::string_type},
    {"ImageID", "ImageID", &go::string_type},
    {"ImageName", "ImageName", &go::string_type},
    {"ContainerName", "ContainerName", &go::string_type},
};
constexpr GoType container_type{go::Shape::structure, "main.containerOutputParams", nullptr,
                                container_fields};

std::vector<Option> containers_options() {
  return {
      {.name = "all", .short_name = 'a', .help = "also list non-buildah containers"},
      {.name = "filter",
       .short_name = 'f',
       .kind = ValueKind::text,
       .value_name = "KEY=VALUE",
       .help = "filter output based on conditions provided: id, name, ancestor"},
      {.name = "format", .kind = ValueKind::text, .help = "pretty-print containers using a Go template"},
      {.name = "json", .help = "output in JSON format"},
      {.name = "noheading", .short_name = 'n', .help = "do not print column headings"},
      {.name = "notruncate", .help = "do not truncate output"},
      {.name = "quiet", .short_name = 'q', .help = "display only container IDs"},
  };
}

struct Row {
  std::string id;
  bool ours = true;
  std::string image_id, image_name, name;

  Json to_json() const {
    return {{"id", id},
            {"builder", ours},
            {"imageid", image_id},
            {"imagename", image_name},
            {"containername", name}};
  }
  Json to_fields() const {
    return {{"ContainerID", id},
            {"Builder", ours ? mark : ""},
            {"ImageID", image_id},
            {"ImageName", image_name},
            {"ContainerName", name}};
  }
};

// "id=...,name=...,ancestor=...": all of them.
class RowFilter {
 public:
  explicit RowFilter(const std::string& text) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      add(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  bool fits(const Row& row) const {
    for (const auto& [key, value] : wanted_) {
      if (key == "id" && row.id.find(value) == std::string::npos) return false;
      if (key == "name" && row.name.find(value) == std::string::npos) return false;
      if (key == "ancestor" && !is_ancestor(row, value)) return false;
    }
    return true;
  }

 private:
  void add(const std::string& part) {
    const auto equals = part.find('=');
    if (equals == std::string::npos)
      throw Error(Kind::invalid_input,
                  fmt::format("incorrect filter value \"{}\", should be of form filter=value", part));
    std::string key = part.substr(0, equals);
    std::erase(key, ' ');
    if (key != "id" && key != "name" && key != "ancestor")
      throw Error(Kind::invalid_input, fmt::format("invalid filter \"{}\"", part.substr(0, equals)));
    wanted_[key] = part.substr(equals + 1);
  }

  static bool is_ancestor(const Row& row, const std::string& value) {
    return row.image_id.find(value) != std::string::npos || row.image_name.find(value) != std::string::npos;
  }

  std::map<std::string, std::string> wanted_;
};

class Listing {
 public:
  explicit Listing(WorkSession& session) : session_(session) {
    for (const auto& image : session.store()->images(session.context()))
      names_[image.id] = image.names.empty() ? "" : image.names.front();
  }

  std::vector<Row> rows(bool all) {
    std::vector<Row> result;
    std::set<std::string> ours;
    for (const auto& builder : session_.builders().all()) {
      ours.insert(builder.id());
      if (all) continue;
      result.push_back(
          {builder.id(), true, builder.image_id(), image_name(builder.image_id()), builder.name()});
    }
    if (!all) return result;
    for (const auto& container : session_.store()->containers(session_.context()))
      result.push_back({container.id, ours.contains(container.id), container.image,
                        image_name(container.image), container.names.empty() ? "" : container.names.front()});
    return result;
  }

 private:
  std::string image_name(const std::string& id) const {
    if (id.empty()) return std::string(scratch);
    const auto found = names_.find(id);
    return found == names_.end() ? "" : found->second;
  }

  WorkSession& session_;
  std::map<std::string, std::string> names_;
};

std::string shortened(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::string row_line(const std::string& id, std::string_view builder, const std::string& image_id,
                     const std::string& image_name, const std::string& name, bool truncate) {
  if (truncate)
    return fmt::format("{:<12.12}  {:<8} {:<12.12} {:<32} {}", id, builder, image_id,
                       shortened(image_name, name_width), name);
  return fmt::format("{:<64} {:<8} {:<64} {:<32} {}", id, builder, image_id, image_name, name);
}

void print_formatted(const std::string& format, const std::vector<Row>& rows, common::Output& out) {
  static const Json headings = {{"ContainerID", "CONTAINER ID"},
                                {"Builder", "BUILDER"},
                                {"ImageID", "IMAGE ID"},
                                {"ImageName", "IMAGE NAME"},
                                {"ContainerName", "CONTAINER NAME"}};
  Json fields = Json::array();
  for (const Row& row : rows) fields.push_back(row.to_fields());
  out.write(common::render_rows("list", format, fields, container_type, headings));
}

int run_containers(Invocation& invocation) {
  const auto& flags = invocation.flags;
  if (!invocation.arguments.empty())
    throw Error(Kind::invalid_input,
                fmt::format("'{} containers' does not accept arguments", invocation.program.name));
  if (flags.flag("quiet") && flags.given("format"))
    throw Error(Kind::invalid_input, "quiet and format are mutually exclusive");
  std::optional<RowFilter> filter;
  if (flags.given("filter"))
    filter = in_context("parsing filter", [&] { return RowFilter(flags.text("filter")); });
  WorkSession session(invocation);
  auto rows = Listing(session).rows(flags.flag("all"));
  std::erase_if(rows, [&](const Row& row) { return filter && !filter->fits(row); });
  if (flags.flag("json")) {
    Json all = Json::array();
    for (const Row& row : rows) all.push_back(row.to_json());
    invocation.out.line(spec::dump_json(all.empty() ? Json(nullptr) : all, 4));
    return 0;
  }
  if (!flags.text("format").empty()) {
    print_formatted(flags.text("format"), rows, invocation.out);
    return 0;
  }
  const bool truncate = !flags.flag("notruncate");
  if (!flags.flag("quiet") && !flags.flag("noheading"))
    invocation.out.line(
        row_line("CONTAINER ID", "BUILDER", "IMAGE ID", "IMAGE NAME", "CONTAINER NAME", truncate));
  for (const Row& row : rows)
    invocation.out.line(flags.flag("quiet") ? fmt::format("{:<64}", row.id)
                                            : row_line(row.id, row.ours ? mark : "", row.image_id,
                                                       row.image_name, row.name, truncate));
  return 0;
}

}  // namespace

const common::Command containers_command{
    .name = "containers",
    .summary = "List working containers and their base images",
    .description =
        "Lists containers which appear to be buildah working containers, their names and IDs, and the "
        "names and IDs of the images from which they were initialized.",
    .synopsis = "[flags]",
    .example =
        "containers\ncontainers --format '{{.ContainerID}} {{.ContainerName}}'\n"
        "containers -q --noheading --notruncate",
    .options = containers_options,
    .run = run_containers,
    .aliases = {"list", "ls", "ps"}};

}  // namespace lade::buildah
