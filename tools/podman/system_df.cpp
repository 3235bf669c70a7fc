#include <fmt/format.h>

#include <cmath>

#include "common/report.hpp"
#include "engine/disk_usage.hpp"
#include "engines/host.hpp"
#include "podman/commands.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using spec::Json;
namespace go = common::gotemplate;

constexpr GoField df_fields[] = {
    {"Type", "Type", &go::string_type},           {"Total", "Total", &go::integer_type},
    {"Active", "Active", &go::integer_type},      {"RawSize", "RawSize", &go::integer_type},
    {"RawReclaimable", "RawReclaimable", &go::integer_type}, {"Size", "Size", &go::string_type},
    {"Reclaimable", "Reclaimable", &go::string_type},
};
constexpr GoType df_summary_type{go::Shape::structure, "*system.dfSummary", nullptr, df_fields};

const Json& df_headings() {
  static const Json map = {{"Type", "TYPE"},
                           {"Total", "TOTAL"},
                           {"Active", "ACTIVE"},
                           {"RawSize", "RAW SIZE"},
                           {"RawReclaimable", "RAW RECLAIMABLE"},
                           {"Size", "SIZE"},
                           {"Reclaimable", "RECLAIMABLE"}};
  return map;
}

std::vector<Option> options_of_df() {
  return {
      {.name = "format", .kind = ValueKind::text, .help = "Change the output to JSON or a Go template"},
      {.name = "verbose", .short_name = 'v', .help = "Show detailed information on disk usage"},
  };
}

std::string size_shown(std::uint64_t bytes) {
  return engine::human_size(static_cast<double>(bytes), "", 4);
}

struct DiskUsage {
  engine::ImagesUsage images;
  std::vector<engine::ContainerUsage> containers;
  std::vector<engine::VolumeUsage> volumes;
};

Json summary_row(const char* type, std::size_t total, std::size_t active, std::uint64_t size,
                 std::uint64_t reclaimable) {
  const double share = size == 0 ? 0 : static_cast<double>(reclaimable) / static_cast<double>(size);
  return {{"Type", type},
          {"Total", total},
          {"Active", active},
          {"RawSize", size},
          {"RawReclaimable", reclaimable},
          {"TotalCount", total},
          {"Size", size_shown(size)},
          {"Reclaimable", fmt::format("{} ({}%)", size_shown(reclaimable), std::lround(share * 100))}};
}

std::size_t rows_of_image(const engine::ImageUsage& usage) {
  return std::max<std::size_t>(1, usage.image->names.size());
}

Json summary_of(const DiskUsage& usage) {
  std::size_t image_rows = 0, used_images = 0, running = 0;
  std::uint64_t used = 0, container_size = 0, reclaimable = 0, volume_size = 0;
  for (const auto& image : usage.images.images) {
    image_rows += rows_of_image(image);
    if (image.containers == 0) continue;
    ++used_images;
    used += image.unique;
  }
  for (const auto& container : usage.containers) {
    container_size += container.size;
    if (container.mounted)
      ++running;
    else
      reclaimable += container.size;
  }
  for (const auto& volume : usage.volumes) volume_size += volume.size;
  // Which volumes are in use only the engine knows that made them: none counts as reclaimable.
  return Json::array({summary_row("Images", image_rows, used_images, usage.images.total, usage.images.total - used),
                      summary_row("Containers", usage.containers.size(), running, container_size, reclaimable),
                      summary_row("Local Volumes", usage.volumes.size(), 0, volume_size, 0)});
}

std::string age_shown(const engine::LocalImages& images, engine::Instant created) {
  return engine::human_duration(images.context().clock.now() - created);
}

std::string image_table(const engine::LocalImages& images, const engine::ImagesUsage& usage) {
  std::string lines = "REPOSITORY\tTAG\tIMAGE ID\tCREATED\tSIZE\tSHARED SIZE\tUNIQUE SIZE\tCONTAINERS\n";
  for (const auto& row : usage.images) {
    auto names = row.image->names;
    if (names.empty()) names.emplace_back();
    for (const std::string& name : names) {
      const auto parts = engine::split_name(name);
      lines += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", name.empty() ? "<none>" : parts.repository,
                           parts.tag.empty() ? "<none>" : parts.tag, engines::shorten_id(row.image->id),
                           age_shown(images, images.created(*row.image)), size_shown(row.shared + row.unique),
                           size_shown(row.shared), size_shown(row.unique), row.containers);
    }
  }
  return common::align_columns(lines);
}

std::string container_table(const engine::LocalImages& images,
                            const std::vector<engine::ContainerUsage>& containers) {
  std::string lines = "CONTAINER ID\tIMAGE\tCOMMAND\tLOCAL VOLUMES\tSIZE\tCREATED\tSTATUS\tNAMES\n";
  for (const auto& usage : containers) {
    const auto& container = usage.container;
    lines += fmt::format("{}\t{}\t\t0\t{}\t{}\t{}\t{}\n", engines::shorten_id(container.id),
                         engines::shorten_id(container.image), size_shown(usage.size),
                         age_shown(images, engine::time_or_epoch(container.created)),
                         usage.mounted ? "mounted" : "storage",
                         container.names.empty() ? "" : container.names.front());
  }
  return common::align_columns(lines);
}

std::string volume_table(const std::vector<engine::VolumeUsage>& volumes) {
  std::string lines = "VOLUME NAME\tLINKS\tSIZE\n";
  for (const auto& volume : volumes)
    lines += fmt::format("{}\t<unknown>\t{}\n", volume.name, size_shown(volume.size));
  return common::align_columns(lines);
}

int run_df(Invocation& invocation) {
  engines::require_none(invocation);
  const std::string format = invocation.flags.text("format");
  const bool verbose = invocation.flags.flag("verbose");
  if (verbose && !format.empty())
    throw Error(Kind::invalid_input, "cannot combine --format and --verbose flags");
  engines::EngineSession session(invocation);
  const auto images = session.images();
  const DiskUsage usage{engine::image_usage(images), engine::container_usage(images),
                        engine::volume_usage(engines::volume_path(session))};
  common::Output& out = invocation.out;
  if (verbose) {
    out.write("Images space usage:\n\n" + image_table(images, usage.images));
    out.write("\nContainers space usage:\n\n" + container_table(images, usage.containers));
    out.write("\nLocal Volumes space usage:\n\n" + volume_table(usage.volumes));
    return 0;
  }
  const Json rows = summary_of(usage);
  if (common::is_json_format(format)) {
    std::string lines;
    for (const Json& row : rows) lines += (lines.empty() ? "    " : ",\n    ") + spec::dump_json(row);
    out.line("[\n" + lines + "\n]");
    return 0;
  }
  constexpr const char* table = "table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
  out.write(common::render_rows("df", format.empty() ? table : format, rows, df_summary_type, df_headings()));
  return 0;
}

}  // namespace

const common::Command system_df_command{
    .name = "system df",
    .summary = "Show podman disk usage",
    .description =
        "Shows how much of the disk images, containers and volumes take. Containers are those of all engines "
        "in the store, active while they are mounted; which volumes are in use is not known.",
    .synopsis = "[options]",
    .example = "system df\nsystem df --verbose",
    .options = options_of_df,
    .run = run_df};

}  // namespace lade::podman
