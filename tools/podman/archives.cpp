#include "engines/archives.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "engine/image_names.hpp"
#include "engines/transfer.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "podman/commands.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/transports.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> options_of_save() {
  return {
      {.name = "compress",
       .help = "Compress image layers when saving to a directory in docker-dir format"},
      {.name = "format",
       .kind = ValueKind::text,
       .help = "Save image to oci-archive, oci-dir (directory with oci manifest type), docker-archive, "
               "docker-dir "
               "(directory with v2s2 manifest type) (default docker-archive)",
       .choices = {"docker-archive", "docker-dir", "oci-archive", "oci-dir"}},
      {.name = "multi-image-archive",
       .short_name = 'm',
       .help = "Interpret additional arguments as images not tags and create a multi-image-archive (only for "
               "docker-archive)"},
      {.name = "output",
       .short_name = 'o',
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Write to a specified file (default: stdout, which must be redirected)"},
      {.name = "quiet", .short_name = 'q', .help = "Suppress the output"},
      engines::signature_policy_option(),
      {.name = "uncompressed", .help = "Accept uncompressed layers when copying OCI images"},
  };
}

struct SaveFormat {
  std::string_view name, transport, manifest;
  bool has_name;  // inside of the file
  bool is_directory;
};
constexpr SaveFormat save_formats[] = {{"oci-dir", "oci", "oci", true, true},
                                       {"oci-archive", "oci-archive", "oci", true, false},
                                       {"docker-dir", "dir", "v2s2", false, true},
                                       {"docker-archive", "docker-archive", "v2s2", true, false}};

const SaveFormat& format_named(const std::string& name) {
  for (const SaveFormat& format : save_formats)
    if (format.name == name) return format;
  throw Error(Kind::invalid_input,
              "format value must be one of oci-dir oci-archive docker-dir docker-archive");
}

// All arguments are images; those that are the same are saved once, with the names that were given.
void save_several(engines::EngineSession& session, const std::string& path) {
  const auto images = session.images();
  std::vector<std::string> ids;
  std::map<std::string, std::vector<spec::Reference>> tags;
  for (const std::string& argument : session.invocation().arguments) {
    const auto found = images.get_image(argument);
    if (!tags.contains(found.image->id)) ids.push_back(found.image->id);
    auto& names = tags[found.image->id];
    if (found.name.empty()) continue;
    auto name = spec::Reference::parse(found.name);
    if (name.tag() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  transport::DockerArchiveFile file(path, {});
  for (const std::string& id : ids)
    engines::transfer(session, {.source = *engines::stored_image(id),
                                .destination = *file.image(tags[id]),
                                .manifest_type = engines::manifest_type_named("v2s2")});
  file.finish();
}

void save_one(engines::EngineSession& session, const SaveFormat& format, const std::string& path) {
  const auto& arguments = session.invocation().arguments;
  const auto images = session.images();
  const auto found = images.get_image(arguments[0]);
  std::string name = found.name;
  std::vector<spec::Reference> more;
  for (std::size_t i = 1; i < arguments.size(); ++i) more.push_back(engine::normalize_name(arguments[i]));
  if (name.empty() && !more.empty()) {
    name = more.front().str();
    more.erase(more.begin());
  }
  if (!more.empty() && format.name != "docker-archive")
    throw Error(Kind::invalid_input, "additional tags are supported for docker-archive only");
  std::string target = fmt::format("{}:{}", format.transport, path);
  if (format.has_name && !name.empty()) target += ":" + name;
  engines::transfer(session, {.source = *engines::stored_image(found.image->id),
                              .destination = *transport::parse_image_name(target),
                              .manifest_type = engines::manifest_type_named(std::string(format.manifest)),
                              .more_tags = more,
                              .preserve_layers = session.invocation().flags.flag("uncompressed"),
                              .compress_directory = session.invocation().flags.flag("compress")});
}

void save_to(engines::EngineSession& session, const SaveFormat& format, const std::string& path) {
  if (session.invocation().flags.flag("multi-image-archive") && format.name == "docker-archive")
    save_several(session, path);
  else
    save_one(session, format, path);
}

int run_save(Invocation& invocation) {
  if (invocation.arguments.empty()) throw Error(Kind::invalid_input, "need at least 1 argument");
  const auto& format = format_named(invocation.flags.find_text("format").value_or("docker-archive"));
  const std::string output = invocation.flags.text("output");
  if (invocation.flags.flag("compress") && format.name != "docker-dir")
    throw Error(Kind::invalid_input, "--compress can only be set when --format is 'docker-dir'");
  if (invocation.flags.flag("multi-image-archive") && invocation.arguments.size() > 1 && format.name != "docker-archive")
    throw Error(Kind::invalid_input,
                fmt::format("unsupported format \"{}\" for saving multiple images (only docker-archive)",
                            format.name));
  engines::EngineSession session(invocation);
  if (!output.empty()) {
    if (output.find(':') != std::string::npos)
      throw Error(Kind::invalid_input,
                  fmt::format("invalid filename (should not contain ':') \"{}\"", output));
    save_to(session, format, output);
    return 0;
  }
  if (format.is_directory)
    throw Error(Kind::invalid_input,
                fmt::format("--format {} needs --output: a directory cannot go to stdout", format.name));
  if (invocation.out.is_terminal())
    throw Error(Kind::invalid_input, "refusing to save to terminal. Use -o flag or redirect");
  const os::TempDir directory("/var/tmp", "lade-save-");
  const auto file = directory.path() / "image.tar";
  save_to(session, format, file.string());
  os::FileReader reader(file);
  os::FileWriter writer{os::UniqueFd(fcntl(1, F_DUPFD_CLOEXEC, 3))};
  io::copy(reader, writer);
  return 0;
}

std::vector<Option> options_of_load() {
  return {{.name = "input",
           .short_name = 'i',
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "Read from specified archive file or directory (default: stdin)"},
          {.name = "quiet", .short_name = 'q', .help = "Suppress the output"},
          engines::signature_policy_option()};
}

int run_load(Invocation& invocation) {
  if (!invocation.arguments.empty())
    throw Error(Kind::invalid_input,
                fmt::format("`{} {}` takes no arguments", invocation.program.name, invocation.command.name));
  engines::EngineSession session(invocation);
  std::optional<engines::SpooledInput> spooled;
  std::string path = invocation.flags.text("input");
  if (path.empty()) {
    if (isatty(0) != 0)
      throw Error(Kind::invalid_input,
                  "cannot read from terminal, use command-line redirection or the --input flag");
    path = spooled.emplace(session.context()).path();
  }
  for (const std::string& name : engines::load_images(session, path))
    invocation.out.line("Loaded image: " + name);
  return 0;
}

common::Command save_named(std::string_view name) {
  return {.name = name,
          .summary = "Save image to an archive",
          .description =
              "Saves an image to a file or directory, or to standard output. Further names become "
              "additional names in a docker-archive; with --multi-image-archive they are further images.",
          .synopsis = "[options] IMAGE [NAME...]",
          .example = "save --quiet -o myimage.tar imageID\nsave --format oci-archive -o alpine.tar alpine",
          .argument = common::ArgumentHint::image,
          .options = options_of_save,
          .run = run_save};
}

common::Command load_named(std::string_view name) {
  return {
      .name = name,
      .summary = "Load image(s) from a tar archive",
      .description = "Loads images from a file that save wrote, of any of its formats, compressed or not.",
      .synopsis = "[options]",
      .example = "load -i myimage.tar",
      .options = options_of_load,
      .run = run_load};
}

}  // namespace

const common::Command save_command = save_named("save");
const common::Command image_save_command = save_named("image save");
const common::Command load_command = load_named("load");
const common::Command image_load_command = load_named("image load");

}  // namespace lade::podman
