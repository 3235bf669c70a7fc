#include <fmt/format.h>
#include <unistd.h>

#include "engine/config_changes.hpp"
#include "engine/image_names.hpp"
#include "engines/archives.hpp"
#include "engines/download.hpp"
#include "engines/transfer.hpp"
#include "podman/commands.hpp"
#include "transport/tarball/tarball.hpp"

namespace lade::podman {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> options_of_import() {
  return {
      {.name = "arch", .kind = ValueKind::text, .help = "Set the architecture of the imported image"},
      {.name = "change",
       .short_name = 'c',
       .kind = ValueKind::text,
       .value_name = "INSTRUCTION",
       .help = "Apply the instruction to the created image; may be repeated: CMD | ENTRYPOINT | ENV | EXPOSE "
               "| LABEL | STOPSIGNAL | USER | VOLUME | WORKDIR"},
      {.name = "message",
       .short_name = 'm',
       .kind = ValueKind::text,
       .help = "Set commit message for imported image"},
      {.name = "os", .kind = ValueKind::text, .help = "Set the OS of the imported image"},
      {.name = "quiet", .short_name = 'q', .help = "Suppress output"},
      engines::signature_policy_option(),
      {.name = "variant", .kind = ValueKind::text, .help = "Set the variant of the imported image"},
  };
}

transport::TarballConfig config_wanted(const common::Flags& flags) {
  return {.os = flags.text("os"),
          .architecture = flags.text("arch"),
          .variant = flags.text("variant"),
          .config = engine::config_from_changes(flags.list("change")),
          .comment = flags.text("message")};
}

int run_import(Invocation& invocation) {
  engines::require_between(invocation, 1, 2);
  std::string path = invocation.arguments[0];
  std::optional<spec::Reference> name;
  if (invocation.arguments.size() == 2) name = engine::normalize_name(invocation.arguments[1]);
  auto config = config_wanted(invocation.flags);
  engines::EngineSession session(invocation);
  std::optional<engines::SpooledInput> spooled;
  std::optional<engines::Download> download;
  if (path == "-") {
    path = spooled.emplace(session.context()).path();
  } else if (engines::is_web_address(path)) {
    invocation.out.line(fmt::format("Downloading from \"{}\"", path));
    path = download.emplace(session.session(), session.context(), invocation.flags, path).path();
  } else if (path.find(':') != std::string::npos) {
    throw Error(Kind::invalid_input,
                fmt::format("2 errors occurred:\n\t* invalid filename (should not contain ':') \"{0}\"\n\t* invalid URL "
                            "\"{0}\": unsupported scheme \"{1}\"\n\n",
                            path, path.substr(0, path.find(':'))));
  }
  const auto source = transport::tarball_image(path, std::move(config));
  const std::string id = engines::import_image(session, *source).id;
  if (name) session.store()->add_names(session.context(), id, {name->str()});
  invocation.out.line("sha256:" + id);
  return 0;
}

common::Command import_named(std::string_view word) {
  return {.name = word,
          .summary = "Import a tarball to create a filesystem image",
          .description =
              "Makes an image of one layer of a tar file, compressed or not: a file, a web address, or - for "
              "standard input. Prints its ID.",
          .synopsis = "[options] PATH [REFERENCE]",
          .example = "import https://example.com/ctr.tar myimage\ncat ctr.tar | podman import - myimage",
          .argument = common::ArgumentHint::file,
          .options = options_of_import,
          .run = run_import};
}

}  // namespace

const common::Command import_command = import_named("import");
const common::Command image_import_command = import_named("image import");

}  // namespace lade::podman
