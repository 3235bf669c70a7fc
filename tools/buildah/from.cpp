#include "build/from.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "buildah/commands.hpp"
#include "buildah/container_flags.hpp"
#include "buildah/triggers.hpp"
#include "buildah/working.hpp"
#include "common/encryption_options.hpp"
#include "engines/transfer.hpp"
#include "os/file.hpp"

namespace lade::buildah {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> from_options() {
  std::vector<Option> options = {
      {.name = "arch", .kind = ValueKind::text, .help = "set the ARCH of the image to the provided value"},
      {.name = "cidfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "write the container ID to the file"},
      // Kept for buildah's inspect: networks are netavark's.
      {.name = "cni-config-dir", .kind = ValueKind::text, .value_name = "DIR", .help = "kept in the container's state", .hidden = true},
      {.name = "cni-plugin-path", .kind = ValueKind::text, .value_name = "PATH", .help = "kept in the container's state", .hidden = true},
      {.name = "format",
       .short_name = 'f',
       .kind = ValueKind::text,
       .help = "format of the image manifest and metadata (default oci)",
       .choices = {"oci", "docker"}},
      {.name = "group-add",
       .kind = ValueKind::list,
       .value_name = "GROUP",
       .help =
           "add additional groups to the primary container process; \"keep-groups\": those of the caller"},
      {.name = "name", .kind = ValueKind::text, .help = "name for the working container"},
      {.name = "os", .kind = ValueKind::text, .help = "set the OS of the image to the provided value"},
      {.name = "platform",
       .kind = ValueKind::text,
       .value_name = "OS/ARCH[/VARIANT]",
       .help = "set the OS, architecture and variant of the image"},
      {.name = "pull",
       .kind = ValueKind::text,
       .value_name = "POLICY",
       .help = "always, missing, never or newer: when images are pulled from the registry (default missing)",
       .choices = {"always", "missing", "never", "newer"},
       .bare = "always"},
      {.name = "pull-always",
       .help = "pull the image even if the named image is present in store",
       .hidden = true},
      {.name = "pull-never", .help = "do not pull the image", .hidden = true},
      {.name = "suffix", .kind = ValueKind::text, .help = "in place of working-container", .hidden = true},
      {.name = "variant", .kind = ValueKind::text, .help = "override the variant of the image"},
  };
  common::append(options, container_options());
  common::append(options, namespace_options());
  common::append(options, id_map_options());
  common::append(options, engines::registry_access_options());
  common::append(options, common::decryption_options());
  common::append(options, engines::unavailable_options({{"blob-cache", ValueKind::text}},
                                                       "it is not available in lade yet"));
  return options;
}

std::string pull_policy(const Flags& flags) {
  const bool always = flags.flag("pull-always"), never = flags.flag("pull-never");
  if (flags.given("pull") + flags.given("pull-always") + flags.given("pull-never") > 1)
    throw Error(Kind::invalid_input, "can only set one of 'pull' or 'pull-always' or 'pull-never'");
  if (always) return "always";
  if (never) return "never";
  std::string word = flags.find_text("pull").value_or("missing");
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word == "missing" || word == "ifmissing" || word == "notpresent") return "missing";
  if (word == "true" || word == "always") return "always";
  if (word == "false" || word == "never") return "never";
  if (word == "newer" || word == "ifnewer") return "newer";
  throw Error(Kind::invalid_input, fmt::format("unrecognized pull policy \"{}\"", flags.text("pull")));
}

spec::PlatformChoice platform_choice(const Flags& flags) {
  std::string platform = flags.text("platform");
  platform.resize(std::min(platform.find(','), platform.size()));
  if (platform.empty()) return {flags.text("os"), flags.text("arch"), flags.text("variant")};
  const auto parsed = spec::Platform::parse(platform);
  return {parsed.os, parsed.architecture, parsed.variant};
}

void write_container_id(const std::string& path, const std::string& id) {
  in_context([&] { return fmt::format("failed to write container ID file \"{}\"", path); },
             [&] {
               const auto fd = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
               os::write_all(fd, io::as_bytes(id));
             });
}

// A container that could not be completed is of no use.
void run_triggers_or_remove(WorkSession& session, build::Builder& builder) {
  try {
    run_triggers(session, builder);
  } catch (...) {
    session.builders().remove(builder);
    throw;
  }
}

int run_from(Invocation& invocation) {
  const Flags& flags = invocation.flags;
  const auto& arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "an image name (or \"scratch\") must be specified");
  engines::require_flags_first(invocation);
  if (arguments.size() > 1) throw Error(Kind::invalid_input, "too many arguments specified");
  check_auth_file(flags);
  WorkSession session(invocation);
  const std::string policy = pull_policy(flags);
  build::NewBuilder wanted;
  wanted.name = flags.text("name");
  wanted.suffix = flags.text("suffix");
  wanted.platform = platform_choice(flags);
  wanted.state["Format"] = format_named(session, flags.text("format"));
  for (const auto& [flag, member] : {std::pair("cni-config-dir", "CNIConfigDir"), {"cni-plugin-path", "CNIPluginPath"}})
    if (flags.given(flag)) wanted.state[member] = flags.text(flag);
  take_container_flags(session, wanted);
  take_id_maps(session, wanted);
  const std::string& image = arguments[0];
  if (image != "scratch") {
    const std::string id = engines::pull_images(session, image, policy).front();
    wanted.image = build::read_base_image(session.context(), *session.store(), id, wanted.platform);
    const auto record = session.store()->find_image(session.context(), id);
    wanted.image_name = build::name_of_image(image, record ? record->names : std::vector<std::string>());
  }
  build::Builder builder = build::create_builder(session.builders(), wanted);
  run_triggers_or_remove(session, builder);
  if (flags.given("cidfile")) write_container_id(flags.text("cidfile"), builder.id());
  invocation.out.line(builder.name());
  return 0;
}

}  // namespace

const common::Command from_command{
    .name = "from",
    .summary = "Create a working container based on an image",
    .description =
        "Creates a new working container, either from scratch or using a specified image as a starting "
        "point. Prints its name.",
    .synopsis = "[flags] IMAGE",
    .example =
        "from --pull imagename\nfrom docker-daemon:imagename:imagetag\n"
        "from --name \"myimagename\" myregistry/myrepository/imagename:imagetag",
    .argument = common::ArgumentHint::image,
    .options = from_options,
    .run = run_from,
    .runs_program = true};

}  // namespace lade::buildah
