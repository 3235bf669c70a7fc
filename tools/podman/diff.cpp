#include <fmt/format.h>

#include "common/report.hpp"
#include "engine/image_changes.hpp"
#include "engines/front.hpp"
#include "podman/commands.hpp"

namespace lade::podman {
namespace {

using engine::FileChange;
using spec::Json;

constexpr int diff_indent = 5;

std::vector<common::Option> options_of_diff() {
  return {{.name = "format",
           .kind = common::ValueKind::text,
           .help = "Change the output format (json)",
           .choices = {"json"}}};
}

char letter_of(FileChange::Kind kind) {
  switch (kind) {
    case FileChange::Kind::changed: return 'C';
    case FileChange::Kind::added: return 'A';
    case FileChange::Kind::deleted: return 'D';
  }
  return '?';
}

Json changes_json(const std::vector<FileChange>& changes) {
  Json json = Json::object();
  constexpr std::pair<const char*, FileChange::Kind> lists[] = {{"changed", FileChange::Kind::changed},
                                                                {"added", FileChange::Kind::added},
                                                                {"deleted", FileChange::Kind::deleted}};
  for (const auto& [name, kind] : lists)
    for (const FileChange& change : changes)
      if (change.kind == kind) json[name].push_back(change.path);
  return json;
}

const store::ImageRecord& image_named(const engine::LocalImages& images, const std::string& name) {
  return *in_context([&] { return fmt::format("{} not found", name); }, [&] { return images.get_image(name).image; });
}

int run_diff(common::Invocation& invocation) {
  engines::require_between(invocation, 1, 2);
  const std::string format = invocation.flags.text("format");
  if (!format.empty() && !common::is_json_format(format))
    throw Error(Kind::invalid_input, "only supported value for '--format' is 'json'");
  engines::EngineSession session(invocation);
  const auto images = session.images();
  const std::string layer = image_named(images, invocation.arguments[0]).layer;
  const auto changes =
      invocation.arguments.size() == 1
          ? engine::layer_changes(images, layer)
          : engine::layer_changes(images, layer, image_named(images, invocation.arguments[1]).layer);
  if (!format.empty()) {
    invocation.out.line(spec::dump_json(changes_json(changes), diff_indent));
    return 0;
  }
  for (const FileChange& change : changes)
    invocation.out.line(fmt::format("{} {}", letter_of(change.kind), change.path));
  return 0;
}

}  // namespace

const common::Command image_diff_command{
    .name = "image diff",
    .summary = "Inspect changes to the image's file systems",
    .description =
        "Displays changes to the image's filesystem. The image will be compared to its parent layer or the "
        "second argument when given.",
    .synopsis = "[options] IMAGE [IMAGE]",
    .example = "image diff myImage\nimage diff --format json redis:alpine",
    .argument = common::ArgumentHint::image,
    .options = options_of_diff,
    .run = run_diff};

}  // namespace lade::podman
