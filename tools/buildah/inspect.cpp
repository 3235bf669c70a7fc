#include <fmt/format.h>

#include "buildah/commands.hpp"
#include "buildah/inspect_types.hpp"
#include "common/template/evaluate.hpp"
#include "engine/builder_report.hpp"
#include "engines/front.hpp"
#include "engines/manifest.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr int inspect_indent = 4;

std::vector<Option> options_of_inspect() {
  return {
      {.name = "format",
       .short_name = 'f',
       .kind = ValueKind::text,
       .help = "use format as a Go template to format the output"},
      {.name = "type",
       .short_name = 't',
       .kind = ValueKind::text,
       .help = "what the name is of: image or manifest; others are not available yet",
       .choices = {"image", "manifest"}},
  };
}

void check_format(const std::string& format) {
  const std::size_t open = format.find("{{");
  if (open == std::string::npos || format.find("}}", open) == std::string::npos)
    throw Error(Kind::invalid_input, fmt::format("invalid format provided: {}", format));
}

int run_inspect(Invocation& invocation) {
  engines::require_flags_first(invocation);
  if (invocation.arguments.empty())
    throw Error(Kind::invalid_input, "container or image name must be specified");
  if (invocation.arguments.size() > 1) throw Error(Kind::invalid_input, "too many arguments specified");
  const std::string type = invocation.flags.find_text("type").value_or("");
  if (type == "container")
    throw Error(Kind::unsupported, "inspect --type container is not available in lade yet");
  if (!type.empty() && type != "image" && type != "manifest")
    throw Error(Kind::invalid_input, "the only recognized types are \"container\" and \"image\"");
  engines::EngineSession session(invocation);
  const std::string& name = invocation.arguments[0];
  const auto images = session.images();
  const auto found = type == "manifest" ? images.find(name) : images.find_image(name);
  const bool only_list = type.empty() && found && images.is_list(*found->image);
  if (type == "manifest" || only_list)
    return engines::print_list(session, name, engines::Grammar::buildah);
  const auto& image = in_context("importing settings", [&]() -> const store::ImageRecord& {
    if (!found) throw Error(Kind::image_not_found, fmt::format("{}: image not known", name));
    return *found->image;
  });
  const auto document = engine::builder_of_image(images, image);
  const std::string format = invocation.flags.text("format");
  if (format.empty()) {
    invocation.out.line(spec::dump_json(document, inspect_indent));
    return 0;
  }
  check_format(format);
  invocation.out.write(common::gotemplate::render("inspect", format, builder_value(document)));
  if (invocation.out.is_terminal()) invocation.out.line("");
  return 0;
}

}  // namespace

const common::Command inspect_command{
    .name = "inspect",
    .summary = "Inspect the configuration of a container or image",
    .description = "Inspects a built image's configuration.",
    .synopsis = "[flags] IMAGE",
    .example = "inspect --type image imageID\ninspect --format '{{.OCIv1.Config.Env}}' alpine",
    .argument = common::ArgumentHint::image,
    .options = options_of_inspect,
    .run = run_inspect,
    .runs_program = true};

}  // namespace lade::buildah
