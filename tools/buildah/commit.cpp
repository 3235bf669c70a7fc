#include "build/commit.hpp"
#include "build/instructions.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/scope_exit.hpp"
#include "buildah/commands.hpp"
#include "buildah/working.hpp"
#include "common/encryption_options.hpp"
#include "common/go_text.hpp"
#include "engine/image_names.hpp"
#include "engines/transfer.hpp"
#include "os/file.hpp"
#include "spec/media_type.hpp"
#include "transport/transports.hpp"

namespace lade::buildah {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
using spec::Json;

constexpr const char* identity_label = "io.buildah.version";
constexpr std::uint64_t max_config_size = 4 * 1024 * 1024;

std::vector<Option> commit_options() {
  std::vector<Option> options = {
      {.name = "add-file",
       .kind = ValueKind::texts,
       .value_name = "SOURCE[:DESTINATION]",
       .help = "add contents of a file to the image at a specified path"},
      {.name = "annotation",
       .kind = ValueKind::texts,
       .value_name = "NAME=VALUE",
       .help = "set an annotation of the image"},
      {.name = "change",
       .short_name = 'c',
       .kind = ValueKind::texts,
       .value_name = "INSTRUCTION",
       .help = "apply a Containerfile's instruction to the image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
               "SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR"},
      {.name = "config",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "apply the configuration of this JSON file to the image"},
      {.name = "created-annotation",
       .help = "set an \"org.opencontainers.image.created\" annotation in the image (default true)"},
      {.name = "disable-compression", .short_name = 'D', .help = "don't compress layers (default true)"},
      {.name = "format",
       .short_name = 'f',
       .kind = ValueKind::text,
       .help = "format of the image manifest and metadata (default oci)",
       .choices = {"oci", "docker"}},
      {.name = "identity-label", .help = "add default builder label (default true)"},
      {.name = "iidfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "write the image ID to the file"},
      {.name = "metadata-file",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "write metadata for the image to the file, as JSON"},
      {.name = "omit-history", .help = "omit build history information from the built image"},
      {.name = "omit-timestamp", .help = "set created timestamp to epoch 0", .hidden = true},
      {.name = "reference-time",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "set the timestamp on the image to match the named file",
       .hidden = true},
      {.name = "rewrite-timestamp",
       .help = "set timestamps in layers to no later than the value for --source-date-epoch"},
      {.name = "rm", .help = "remove the container and its content after committing it to an image"},
      {.name = "source-date-epoch",
       .kind = ValueKind::text,
       .value_name = "SECONDS",
       .help = "set new timestamps in image info to seconds after the epoch (default: $SOURCE_DATE_EPOCH)"},
      {.name = "squash", .help = "produce an image with only one layer"},
      {.name = "timestamp",
       .kind = ValueKind::integer,
       .help = "set new timestamps in image info and layer to seconds after the epoch"},
      {.name = "unsetannotation", .kind = ValueKind::list, .help = "unset an annotation of the image"},
      {.name = "unsetenv", .kind = ValueKind::list, .help = "unset an environment variable of the image"},
  };
  common::append(options, engines::registry_access_options());
  common::append(options, common::encryption_options());
  common::append(options, engines::unavailable_options({{"manifest", ValueKind::text},
                                                        {"sign-by", ValueKind::text},
                                                        {"blob-cache", ValueKind::text},
                                                        {"cw", ValueKind::text},
                                                        {"sbom", ValueKind::text}},
                                                       "it is not available in lade yet"));
  return options;
}

std::int64_t seconds_of(const std::string& text) {
  return in_context([&] { return fmt::format("parsing source date epoch \"{}\"", text); },
                    [&] { return common::parse_int(text); });
}

void take_times(WorkSession& session, build::CommitOptions& options) {
  const Flags& flags = session.invocation().flags;
  const std::string epoch =
      flags.find_text("source-date-epoch").value_or(session.environment("SOURCE_DATE_EPOCH"));
  int given = 0;
  if (flags.given("reference-time")) {
    struct ::stat status {};
    if (::stat(flags.text("reference-time").c_str(), &status) != 0)
      throw Error::from_errno(errno,
                              fmt::format("reading timestamp of file \"{}\"", flags.text("reference-time")));
    options.timestamp = status.st_mtim.tv_sec;
    ++given;
  }
  if (!epoch.empty()) {
    options.source_date_epoch = seconds_of(epoch);
    ++given;
  }
  if (const auto timestamp = flags.find_integer("timestamp")) {
    options.timestamp = *timestamp;
    ++given;
  }
  if (flags.flag("omit-timestamp")) {
    options.timestamp = 0;
    ++given;
  }
  if (given > 1) throw Error(Kind::invalid_input, "cannot use more then one timestamp option at at time");
  options.rewrite_timestamp = flags.flag("rewrite-timestamp");
}

std::pair<std::string, std::filesystem::path> added_file(const std::string& spec) {
  const auto colon = spec.find(':');
  const std::string source = spec.substr(0, colon);
  const std::string target = colon == std::string::npos ? source : spec.substr(colon + 1);
  return in_context([&] { return fmt::format("parsing add-file argument \"{}\"", spec); },
                    [&]() -> std::pair<std::string, std::filesystem::path> {
                      struct ::stat status {};
                      if (::stat(source.c_str(), &status) != 0)
                        throw Error::from_errno(errno, fmt::format("source \"{}\"", source));
                      if (!S_ISREG(status.st_mode))
                        throw Error(Kind::invalid_input,
                                    fmt::format("source \"{}\" is not a regular file", source));
                      return {target, source};
                    });
}

build::CommitOptions options_of(WorkSession& session, const build::Builder& builder) {
  const Flags& flags = session.invocation().flags;
  build::CommitOptions options;
  (void)builder;
  options.docker_format = format_named(session, flags.text("format")) == spec::media_type::docker_manifest;
  options.squash = flags.flag("squash");
  options.omit_history = flags.flag("omit-history");
  take_times(session, options);
  options.created_annotation = flags.find_flag("created-annotation").value_or(true);
  options.annotations = flags.list("annotation");
  options.unset_annotations = flags.list("unsetannotation");
  options.unset_env = flags.list("unsetenv");
  options.gzip = !flags.find_flag("disable-compression").value_or(true);
  for (const auto& spec : flags.list("add-file")) options.add_files.push_back(added_file(spec));
  if (flags.given("config")) {
    const std::string path = flags.text("config");
    options.config = in_context([&] { return fmt::format("parsing configuration blob from \"{}\"", path); },
                                [&] { return spec::parse_json(os::read_file(path, max_config_size), path); });
  }
  return options;
}

// Where the image goes.
struct Target {
  std::unique_ptr<transport::ImageReference> reference;  // nullptr: the store
  std::vector<std::string> names;                        // there
};

bool is_own_store(WorkSession& session, const std::string& rest) {
  return !rest.starts_with('[') || rest.starts_with(session.store()->specification());
}

Target target_of(WorkSession& session, const std::string& image) {
  if (image.empty()) return {};
  constexpr std::string_view storage = "containers-storage:";
  if (image.starts_with(storage)) {
    std::string rest = image.substr(storage.size());
    if (!is_own_store(session, rest)) return {transport::parse_image_name(image), {}};
    if (rest.starts_with('[')) rest.erase(0, rest.find(']') + 1);
    return {nullptr, {spec::Reference::parse(rest).with_default_tag().str()}};
  }
  const auto colon = image.find(':');
  const std::string_view word = std::string_view(image).substr(0, colon);
  const auto all = transport::transports();
  const bool known = colon != std::string::npos &&
                     std::any_of(all.begin(), all.end(), [&](const auto* t) { return t->name() == word; });
  if (known) {
    try {
      return {transport::parse_image_name(image), {}};
    } catch (const Error&) {
      // Not of this transport, then: "docker:latest" is an image.
    }
  }
  const auto candidates = engine::local_candidates(image, session.registries());
  if (candidates.empty())
    throw Error(Kind::invalid_input, fmt::format("parsing target image name \"{}\"", image));
  return {nullptr, {candidates.front().str()}};
}

void write_text(const std::string& path, const std::string& text) {
  const auto fd = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  os::write_all(fd, io::as_bytes(text));
}

void write_metadata(const std::string& path, const std::string& id, const spec::RawManifest& manifest) {
  const Json descriptor = {
      {"mediaType", manifest.media_type}, {"digest", manifest.digest.str()}, {"size", manifest.bytes.size()}};
  const Json metadata = {{"containerimage.config.digest", "sha256:" + id},
                         {"containerimage.descriptor", descriptor},
                         {"containerimage.digest", manifest.digest.str()}};
  write_text(path, spec::dump_json(metadata, 4) + "\n");
}

// Into another place, by way of the store, which then loses it again.
spec::RawManifest send(WorkSession& session, const Target& target, const build::Committed& committed,
                       const build::CommitOptions& options) {
  const ScopeExit forget([&] {
    if (committed.was_there) return;
    try {
      session.store()->delete_image(session.context(), committed.id);
    } catch (const std::exception& error) {
      session.context().log.warning(std::string("removing an image that was only passed on: ") +
                                    error.what());
    }
  });
  const auto source = engines::stored_image(committed.id);
  return engines::transfer(
      session, {.source = *source, .destination = *target.reference, .preserve_layers = !options.gzip});
}

void change_settings(build::Builder& builder, const std::string& change) {
  in_context([&] { return fmt::format("parsing --change \"{}\"", change); },
             [&] {
               auto settings = builder.settings();
               const auto instruction = build::parse_instruction(change);
               if (!build::apply_instruction(settings, instruction))
                 throw Error(Kind::invalid_input, fmt::format("the instruction {} cannot change an image",
                                                              instruction.name));
             });
}

int run_commit(Invocation& invocation) {
  const Flags& flags = invocation.flags;
  const auto& arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "container ID must be specified");
  engines::require_flags_first(invocation);
  if (arguments.size() > 2) throw Error(Kind::invalid_input, "too many arguments specified");
  check_auth_file(flags);
  WorkSession session(invocation);
  build::Builder builder = session.open(arguments[0]);
  const std::string image = arguments.size() > 1 ? arguments[1] : "";
  const Target target = target_of(session, image);
  if (target.reference) engines::require_allowed(session, *target.reference, "commit to registry at");
  if (!target.reference && !flags.list("encryption-key").empty())
    throw Error(Kind::unsupported,
                "the local store has no encrypted images: name a destination with a transport");
  auto options = options_of(session, builder);
  options.names = target.names;
  build::Builder copy = builder;
  const auto labelled = flags.find_flag("identity-label");
  if (labelled.value_or(!options.fixed_time())) copy.settings().set_label(identity_label, emulated_version);
  for (const auto& change : flags.list("change")) change_settings(copy, change);
  auto committed =
      in_context([&] { return fmt::format("committing container \"{}\" to \"{}\"", builder.name(), image); },
                 [&] {
                   auto result = build::commit(session.builders(), copy, options);
                   if (target.reference) result.manifest = send(session, target, result, options);
                   return result;
                 });
  if (flags.given("iidfile"))
    write_text(flags.text("iidfile"), "sha256:" + committed.id);
  else
    invocation.out.line(committed.id);
  if (flags.given("metadata-file"))
    write_metadata(flags.text("metadata-file"), committed.id, committed.manifest);
  if (flags.flag("rm")) session.builders().remove(builder);
  return 0;
}

}  // namespace

const common::Command commit_command{
    .name = "commit",
    .summary = "Create an image from a working container",
    .description =
        "Writes a new image using the container's read-write layer and, if it is based on an image, the "
        "layers of that image. Prints the ID of the new image.",
    .synopsis = "[flags] CONTAINER [IMAGE]",
    .example =
        "commit containerID\ncommit containerID newImageName\n"
        "commit containerID docker://localhost:5000/newImageName",
    .options = commit_options,
    .run = run_commit,
    .runs_program = true};

}  // namespace lade::buildah
