#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/prompt.hpp"
#include "common/report.hpp"
#include "engine/image_filters.hpp"
#include "engines/names.hpp"
#include "podman/commands.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using spec::Json;
using store::ImageRecord;

std::vector<Option> options_of_prune() {
  return {
      {.name = "all",
       .short_name = 'a',
       .help = "Remove all images not in use by containers, not just dangling ones"},
      {.name = "filter", .kind = ValueKind::list, .help = "Only those that pass, as with images --filter"},
      {.name = "force", .short_name = 'f', .help = "Do not prompt for confirmation"}};
}

bool is_confirmed(Invocation& invocation, bool all) {
  invocation.out.line(
      all ? "WARNING! This command removes all images without at least one container associated with them."
          : "WARNING! This command removes all dangling images.");
  const auto answer = [&] {
    try {
      return common::ask(invocation.out, "Are you sure you want to continue? [y/N] ",
                         invocation.context.stop);
    } catch (const Error&) {
      throw Error(Kind::invalid_input, "EOF");
    }
  }();
  return answer.starts_with('y') || answer.starts_with('Y');
}

int run_prune(Invocation& invocation) {
  if (!invocation.arguments.empty())
    throw Error(Kind::invalid_input,
                fmt::format("`{} {}` takes no arguments", invocation.program.name, invocation.command.name));
  const bool all = invocation.flags.flag("all");
  if (!invocation.flags.flag("force") && !is_confirmed(invocation, all)) return 0;
  engines::EngineSession session(invocation);
  const auto images = session.images();
  const auto filter = engine::compile_image_filters(images, invocation.flags.list("filter"));
  std::vector<std::string> ids = engines::prunable_images(images, all);
  std::erase_if(ids, [&](const std::string& id) { return !filter(*images.by_id(id)); });
  const auto report =
      engine::remove_whole_images(session.context(), session.store(), session.registries(), ids, {});
  for (const std::string& id : report.deleted) invocation.out.line(id);
  invocation.out.flush();
  return report.errors.empty()
             ? 0
             : engines::fail(engines::exit_engine_error, engines::join_errors(report.errors));
}

std::vector<Option> options_of_tree() {
  return {{.name = "whatrequires", .help = "Show all child images and layers of the specified image"}};
}

std::string layer_text(const engine::LocalImages& images, const store::LayerRecord& layer) {
  std::vector<std::string> names;
  for (const ImageRecord& image : images.all())
    if (image.layer == layer.id) names.insert(names.end(), image.names.begin(), image.names.end());
  const double size = static_cast<double>(std::max<std::int64_t>(layer.diff_size, 0));
  std::string text =
      fmt::format("ID: {} Size: {:>7}", engines::shorten_id(layer.id), engine::human_size(size, "", 4));
  if (!names.empty()) text += fmt::format(" Top Layer of: [{}]", fmt::join(names, " "));
  return text;
}

// The layer and all that are above it, each before those above it.
void collect_above(const engine::LocalImages& images, const std::vector<store::LayerRecord>& layers,
                   const store::LayerRecord& layer, std::vector<std::string>& lines) {
  lines.push_back(layer_text(images, layer));
  for (const auto& other : layers)
    if (other.parent == layer.id) collect_above(images, layers, other, lines);
}

int run_tree(Invocation& invocation) {
  engines::require_exactly(invocation, 1);
  engines::EngineSession session(invocation);
  const auto images = session.images();
  const ImageRecord& image = *images.get(invocation.arguments[0]).image;
  std::vector<std::string> lines;
  if (!invocation.flags.flag("whatrequires")) {
    for (const auto& layer : session.store()->chain(session.context(), image.layer))
      lines.push_back(layer_text(images, layer));
  } else if (const auto* top = images.layer(image.layer)) {
    collect_above(images, session.store()->layers(session.context()), *top, lines);
  }
  common::Output& out = invocation.out;
  out.line("Image ID: " + engines::shorten_id(image.id));
  out.line(fmt::format("Tags:     [{}]", fmt::join(image.names, " ")));
  out.line("Size:     " + engine::human_size(static_cast<double>(images.size(image)), "", 4));
  out.line("Image Layers");
  for (std::size_t i = 0; i < lines.size(); ++i)
    out.line((i + 1 == lines.size() ? "└── " : "├── ") + lines[i]);
  out.line("");
  return 0;
}

std::vector<Option> options_of_mount() {
  return {{.name = "all", .short_name = 'a', .help = "Mount all images"},
          {.name = "format",
           .kind = ValueKind::text,
           .help = "json: print what is mounted as JSON",
           .choices = {"json"}}};
}

std::vector<Option> options_of_unmount() {
  return {{.name = "all", .short_name = 'a', .help = "Unmount all of the currently mounted images"},
          {.name = "force", .short_name = 'f', .help = "Unmount also what was mounted several times"}};
}

struct Mounted {
  const ImageRecord* image;
  std::string path;
};

void print_mounts(const std::vector<Mounted>& mounts, bool as_json, common::Output& out) {
  if (as_json) {
    Json all = Json::array();
    for (const Mounted& mount : mounts)
      all.push_back({{"id", mount.image->id},
                     {"Names", Json::array({mount.image->digest})},
                     {"Repositories", mount.image->names},
                     {"mountpoint", mount.path}});
    out.line(spec::dump_json(all, 1));
    return;
  }
  std::string lines;
  for (const Mounted& mount : mounts)
    lines += fmt::format("{}\t{}\n", mount.image->names.empty() ? "<none>" : mount.image->names.front(),
                         mount.path);
  out.write(common::align_columns(lines));
}

void refuse_names_beside_all(const Invocation& invocation) {
  if (invocation.flags.flag("all") && !invocation.arguments.empty())
    throw Error(Kind::invalid_input, "when using the --all switch, you may not pass any image names or IDs");
}

std::vector<const ImageRecord*> named_images(const engine::LocalImages& images,
                                             const Invocation& invocation) {
  std::vector<const ImageRecord*> named;
  for (const std::string& name : invocation.arguments) named.push_back(images.get(name).image);
  return named;
}

int run_mount(Invocation& invocation) {
  const std::string format = invocation.flags.text("format");
  if (!format.empty() && format != "json")
    throw Error(Kind::invalid_input, fmt::format("unknown --format argument: {}", format));
  const bool all = invocation.flags.flag("all");
  refuse_names_beside_all(invocation);
  engines::EngineSession session(invocation);
  const auto images = session.images();
  store::Store& store = *session.store();
  auto wanted = named_images(images, invocation);
  std::vector<Mounted> mounts;
  for (const ImageRecord& image : images.all()) {
    if (all && !image.layer.empty()) wanted.push_back(&image);
    if (all || !invocation.arguments.empty() || image.layer.empty()) continue;
    const auto state = store.mount_state(session.context(), image.layer);
    if (state.count > 0) mounts.push_back({&image, state.path.string()});
  }
  for (const ImageRecord* image : wanted)
    mounts.push_back({image, store.mount_layer(session.context(), image->layer).string()});
  if (invocation.arguments.size() == 1 && format.empty()) {
    invocation.out.line(mounts.front().path);
  } else {
    print_mounts(mounts, !format.empty(), invocation.out);
  }
  return 0;
}

int run_unmount(Invocation& invocation) {
  const bool all = invocation.flags.flag("all");
  if (!all && invocation.arguments.empty())
    throw Error(Kind::invalid_input, "image name or ID must be specified");
  refuse_names_beside_all(invocation);
  engines::EngineSession session(invocation);
  const auto images = session.images();
  store::Store& store = *session.store();
  auto wanted = named_images(images, invocation);
  if (all)
    for (const ImageRecord& image : images.all()) wanted.push_back(&image);
  for (const ImageRecord* image : wanted) {
    if (image->layer.empty() || store.mount_state(session.context(), image->layer).count == 0) continue;
    store.unmount_layer(session.context(), image->layer, invocation.flags.flag("force"));
    invocation.out.line(image->id);
  }
  return 0;
}

}  // namespace

const common::Command image_prune_command{.name = "image prune",
                                          .summary = "Remove unused images",
                                          .description = "Removes dangling or unused images.",
                                          .synopsis = "[options]",
                                          .example = "image prune --all",
                                          .options = options_of_prune,
                                          .run = run_prune};
const common::Command image_tree_command{.name = "image tree",
                                         .summary = "Print layer hierarchy of an image in a tree format",
                                         .description = "Prints the layers of an image, the base first.",
                                         .synopsis = "[options] IMAGE",
                                         .example = "image tree alpine:latest",
                                         .argument = common::ArgumentHint::image,
                                         .options = options_of_tree,
                                         .run = run_tree,
                                         .needs_namespace = engines::needs_namespace_without_store};
const common::Command image_mount_command{.name = "image mount",
                                          .summary = "Mount an image's root filesystem",
                                          .description =
                                              "Mounts images read-only and prints where; without an "
                                              "argument, what is mounted.",
                                          .synopsis = "[options] [IMAGE...]",
                                          .example = "image mount imgID",
                                          .argument = common::ArgumentHint::image,
                                          .options = options_of_mount,
                                          .run = run_mount,
                                          .needs_namespace = engines::needs_given_namespace};
const common::Command image_unmount_command{
    .name = "image unmount",
    .summary = "Unmount an image's root filesystem",
    .description = "Unmounts images, once for each time they were mounted.",
    .synopsis = "[options] [IMAGE...]",
    .example = "image unmount imgID",
    .argument = common::ArgumentHint::image,
    .options = options_of_unmount,
    .run = run_unmount,
    .aliases = {"image umount"}};

}  // namespace lade::podman
