#include <fmt/format.h>

#include <algorithm>

#include "build/add.hpp"
#include "build/base_image.hpp"
#include "buildah/commands.hpp"
#include "buildah/remote_sources.hpp"
#include "buildah/working.hpp"
#include "common/go_text.hpp"
#include "engines/transfer.hpp"
#include "os/temp_dir.hpp"

namespace lade::buildah {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
namespace fs = std::filesystem;

std::vector<Option> content_options() {
  std::vector<Option> options = {
      add_history_option(),
      {.name = "chmod",
       .kind = ValueKind::text,
       .value_name = "MODE",
       .help = "set the access permissions of the destination content (octal)"},
      {.name = "chown",
       .kind = ValueKind::text,
       .value_name = "USER[:GROUP]",
       .help = "set the user and group ownership of the destination content"},
      {.name = "contextdir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "context directory path: sources are in it"},
      {.name = "exclude",
       .kind = ValueKind::texts,
       .value_name = "PATTERN",
       .help = "exclude pattern when copying files"},
      {.name = "from",
       .kind = ValueKind::text,
       .value_name = "CONTAINER|IMAGE",
       .help = "use the specified container's or image's root directory as the source root directory"},
      {.name = "ignorefile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path to .containerignore file"},
      {.name = "link", .help = "put what is copied into a layer of its own"},
      {.name = "timestamp",
       .kind = ValueKind::text,
       .value_name = "SECONDS",
       .help = "set timestamps on new content to seconds after the epoch"},
  };
  common::append(options, engines::registry_access_options());
  return options;
}

std::vector<Option> copy_options() {
  auto options = content_options();
  common::append(options, {{.name = "parents",
                            .help = "preserve leading directories in the paths of items being copied"}});
  return options;
}

std::vector<Option> add_options() {
  auto options = content_options();
  common::append(options, {{.name = "checksum",
                            .kind = ValueKind::text,
                            .value_name = "DIGEST",
                            .help = "what a downloaded source is checked against"}});
  return options;
}

// Where --from looks: a working container, or an image.
class OtherRoot {
 public:
  OtherRoot(WorkSession& session, const std::string& name) {
    container_ = session.builders().find(name);
    if (container_) {
      mounted_.emplace(session.builders(), *container_);
      path_ = mounted_->path();
      return;
    }
    const auto id = in_context(
        [&] {
          return fmt::format("no container named \"{}\", error copying content from image \"{}\"", name,
                             name);
        },
        [&] { return engines::pull_images(session, name, "missing").front(); });
    const auto record = session.store()->find_image(session.context(), id);
    if (record && !record->layer.empty()) {
      path_ = layer_.emplace(session.builders(), record->layer).path();
    } else {
      nothing_.emplace(session.store()->layout().run_root, "empty");
      path_ = nothing_->path();
    }
  }
  OtherRoot(const OtherRoot&) = delete;
  OtherRoot& operator=(const OtherRoot&) = delete;

  const fs::path& path() const { return path_; }
  layer::IdMaps id_maps() const { return container_ ? container_->id_maps() : layer::IdMaps(); }

 private:
  std::optional<build::Builder> container_;
  std::optional<build::MountedBuilder> mounted_;
  std::optional<build::MountedLayer> layer_;
  std::optional<os::TempDir> nothing_;
  fs::path path_;
};

build::AddOptions options_of(WorkSession& session, bool extract) {
  const Flags& flags = session.invocation().flags;
  build::AddOptions options;
  options.extract = extract;
  options.chown = flags.text("chown");
  options.chmod = flags.text("chmod");
  options.excludes = flags.list("exclude");
  options.link = flags.flag("link");
  options.parents = flags.has("parents") && flags.flag("parents");
  options.with_digest = !flags.flag("quiet") || wants_history(session) || options.link;
  if (const auto text = flags.find_text("timestamp"); text && !text->empty())
    options.timestamp = in_context([&] { return fmt::format("parsing timestamp value \"{}\"", *text); },
                                   [&] { return common::parse_int(*text); });
  if (flags.given("contextdir") && !flags.text("contextdir").empty())
    options.context_directory = fs::absolute(flags.text("contextdir")).lexically_normal();
  return options;
}

void take_ignore_file(const Flags& flags, build::AddOptions& options) {
  if (!flags.given("contextdir")) return;
  auto ignore = build::read_ignore_file(options.context_directory, flags.text("ignorefile"));
  options.ignore_file = ignore.path;
  ignore.patterns.insert(ignore.patterns.end(), options.excludes.begin(), options.excludes.end());
  options.excludes = std::move(ignore.patterns);
}

int run_content(Invocation& invocation, const std::string& verb) {
  const Flags& flags = invocation.flags;
  std::vector<std::string> arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "container ID must be specified");
  if (arguments.size() == 1) throw Error(Kind::invalid_input, "src must be specified");
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  engines::require_flags_first(invocation);
  std::string destination;
  if (arguments.size() > 1) {
    destination = arguments.back();
    arguments.pop_back();
  }
  if (!flags.text("ignorefile").empty() && flags.text("contextdir").empty())
    throw Error(Kind::invalid_input,
                "--ignorefile option requires that you specify a context dir using --contextdir");
  WorkSession session(invocation);
  auto options = options_of(session, verb == "ADD");
  std::optional<OtherRoot> other;
  if (flags.given("from") && !flags.text("from").empty()) {
    other.emplace(session, flags.text("from"));
    options.keep_owners = true;
    options.source_ids = other->id_maps();
    options.context_directory = other->path() / fs::path("/" + flags.text("contextdir")).relative_path();
  }
  take_ignore_file(flags, options);
  auto builder = session.open(name);
  const auto in_container_context = [&](const auto& fn) {
    return in_context([&] { return fmt::format("adding content to container \"{}\"", builder.name()); }, fn);
  };
  RemoteSources remote(session);
  std::vector<build::AddSource> sources;
  for (auto& source : arguments) {
    if (is_remote_source(source)) {
      sources.push_back(in_container_context([&] { return remote.fetch(source); }));
      continue;
    }
    if (flags.has("checksum") && !flags.text("checksum").empty())
      throw Error(Kind::invalid_input, "checksum flag is not supported for local sources");
    // Of another root names start there, whether or not they say so.
    if (other) source = fs::path("/" + source).lexically_normal().relative_path();
    sources.push_back({.name = other && source.empty() ? "." : source});
  }
  const auto summary = in_container_context(
      [&] { return build::add_content(session.builders(), builder, destination, sources, options); });
  if (!flags.flag("quiet")) invocation.out.line(summary.hex);
  if (wants_history(session)) {
    note_history(session, builder, fmt::format("/bin/sh -c #(nop) {} {}", verb, summary.str()));
    session.builders().save(builder);
  }
  return 0;
}

int run_copy(Invocation& invocation) {
  return run_content(invocation, "COPY");
}

int run_add(Invocation& invocation) {
  return run_content(invocation, "ADD");
}

}  // namespace

const common::Command copy_command{
    .name = "copy",
    .summary = "Copy content into the container",
    .description =
        "Copies the contents of a file or directory into a container's working directory, or to the "
        "destination. Prints the digest of what was copied.",
    .synopsis = "[flags] CONTAINER SOURCE... [DESTINATION]",
    .example = "copy containerID '/myapp/app.conf'\ncopy containerID '/myapp/app.conf' '/myapp/app.conf'",
    .argument = common::ArgumentHint::file,
    .options = copy_options,
    .run = run_copy,
    .runs_program = true};

const common::Command add_command{
    .name = "add",
    .summary = "Add content to the container",
    .description =
        "Adds the contents of a file or directory to a container's working directory, or to the "
        "destination. Archives are unpacked there. Prints the digest of what was added.",
    .synopsis = "[flags] CONTAINER SOURCE... [DESTINATION]",
    .example =
        "add containerID '/myapp/app.conf'\nadd containerID '/home/myuser/myproject.go' '/src/'\n"
        "add containerID '/home/myuser/myapp.tar' '/myapp/'",
    .argument = common::ArgumentHint::file,
    .options = add_options,
    .run = run_add,
    .runs_program = true};

}  // namespace lade::buildah
