#include "engines/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/image_names.hpp"
#include "engine/list_artifact.hpp"
#include "engine/list_source.hpp"
#include "engine/remove_images.hpp"
#include "engines/list_members.hpp"
#include "engines/manifest_options.hpp"
#include "engines/short_names.hpp"
#include "engines/transfer.hpp"
#include "spec/media_type.hpp"
#include "transport/transports.hpp"

namespace lade::engines {

using common::Flags;
using common::Invocation;
using engine::StoredList;

namespace {

constexpr int list_indent = 4;

[[noreturn]] void refuse_list(std::string text) {
  throw Error(Kind::invalid_input, std::move(text));
}

spec::Annotations annotations_given(const Flags& flags, std::string_view option, Grammar grammar) {
  spec::Annotations annotations;
  for (const std::string& text : flags.list(option)) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos && grammar == Grammar::buildah)
      refuse_list(fmt::format("no \"=\" found in annotation \"{}\"", text));
    if (equals == std::string::npos)
      refuse_list(fmt::format("expected --{} \"{}\" to be in key=value format", option, text));
    annotations[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return annotations;
}

// What the flags say of one entry.
void describe_entry(const Flags& flags, Grammar grammar, engine::ManifestList::Entry& entry) {
  const auto text = [&](const char* name, std::string& target) {
    if (flags.given(name)) target = flags.text(name);
  };
  const bool any = flags.given("os") || flags.given("arch") || flags.given("variant") ||
                   flags.given("os-version") || flags.given("os-features");
  if (any) {
    spec::Platform& platform = entry.platform();
    text("os", platform.os);
    text("os-version", platform.os_version);
    text("arch", platform.architecture);
    if (flags.given("os-features")) platform.os_features = flags.list("os-features");
    if (flags.given("arch") || flags.given("variant")) platform.variant = flags.text("variant");
  }
  if (flags.given("features")) entry.features = flags.list("features");
  for (const auto& [name, value] : annotations_given(flags, "annotation", grammar))
    entry.descriptor.annotations[name] = value;
}

// ---- create

// An image that is no list becomes the first of a new one, which takes its name.
StoredList list_around(EngineSession& session, const std::string& name) {
  const auto images = session.images();
  const std::string id = images.get(name).image->id;
  session.store()->remove_names(session.context(), id, {name});
  auto stored = engine::create_list(session.images(), name);
  const auto reference = find_member(session, "containers-storage:" + id, true);
  add_image(session, stored, *reference, false, {});
  stored.save(session.context(), *session.store());
  return stored;
}

StoredList list_to_fill(EngineSession& session, const std::string& name, Grammar grammar) {
  const Flags& flags = session.invocation().flags;
  const auto images = session.images();
  try {
    return engine::create_list(images, name);
  } catch (const Error& error) {
    if (error.kind() != Kind::already_exists) throw;
    if (grammar == Grammar::buildah && flags.flag("replace")) {
      session.store()->remove_names(session.context(), images.get(name).image->id, {name});
      return engine::create_list(session.images(), name);
    }
    if (!flags.flag("amend") && grammar == Grammar::podman)
      throw Error(Kind::already_exists,
                  fmt::format("{}, or use --replace to instruct Podman to do so.", error.what()));
    if (!flags.flag("amend")) throw;
    try {
      return StoredList::load(images, name);
    } catch (const engine::NotAList&) {
      if (grammar == Grammar::podman) throw error;
      return list_around(session, name);
    }
  }
}

int create(Invocation& invocation, Grammar grammar) {
  require_at_least(invocation, 1);
  const Flags& flags = invocation.flags;
  if (grammar == Grammar::buildah && flags.flag("replace") && flags.flag("amend"))
    refuse_list("--amend and --replace are mutually exclusive");
  EngineSession session(invocation);
  const std::string name = engine::normalize_name(invocation.arguments[0]).str();
  auto stored = list_to_fill(session, name, grammar);
  const auto lock = engine::lock_list(session.context(), *session.store(), stored.id);
  stored = StoredList::load(session.images(), stored.id);
  stored.list.annotate(annotations_given(flags, "annotation", grammar));
  for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
    const auto reference = find_member(session, invocation.arguments[i], grammar == Grammar::buildah);
    add_image(session, stored, *reference, flags.flag("all"), {});
  }
  stored.save(session.context(), *session.store());
  invocation.out.line(stored.id);
  return 0;
}

// ---- add

constexpr const char* artifact_flags[] = {"artifact-type",       "artifact-config",  "artifact-config-type",
                                          "artifact-layer-type", "artifact-subject", "artifact-exclude-titles",
                                          "artifact-annotation"};

void refuse_artifact_flags(const Flags& flags) {
  std::vector<std::string> given;
  for (const char* name : artifact_flags)
    if (flags.has(name) && flags.given(name)) given.push_back(std::string("--") + name);
  if (given.empty()) return;
  refuse_list(fmt::format("{} {} --artifact", fmt::join(given, "/"), given.size() == 1 ? "requires" : "require"));
}

spec::Digest add_files(EngineSession& session, StoredList& stored, Grammar grammar) {
  const Flags& flags = session.invocation().flags;
  const auto& arguments = session.invocation().arguments;
  engine::ArtifactRequest request;
  request.files.assign(arguments.begin() + 1, arguments.end());
  request.type = flags.find_text("artifact-type");
  request.layer_type = flags.text("artifact-layer-type");
  request.config_type = flags.text("artifact-config-type");
  request.config_file = flags.text("artifact-config");
  request.config_inline = grammar == Grammar::podman;
  request.exclude_titles = flags.flag("artifact-exclude-titles");
  request.annotations = annotations_given(flags, "artifact-annotation", grammar);
  if (const std::string subject = flags.text("artifact-subject"); !subject.empty())
    request.subject = describe_subject(session, *find_member(session, subject, true));
  return engine::add_artifact(stored, request);
}

int add(Invocation& invocation, Grammar grammar) {
  const Flags& flags = invocation.flags;
  const bool artifact = flags.flag("artifact");
  require_at_least(invocation, 2);
  if (grammar == Grammar::buildah && !artifact && invocation.arguments.size() > 2)
    refuse_list("too many arguments: expected list and image add to list");
  if (!artifact) refuse_artifact_flags(flags);
  EngineSession session(invocation);
  auto stored = StoredList::load(session.images(), invocation.arguments[0]);
  const auto lock = engine::lock_list(session.context(), *session.store(), stored.id);
  stored = StoredList::load(session.images(), stored.id);
  // Which image of a list is meant; podman only says with these flags what the image is.
  spec::PlatformChoice platform;
  if (grammar == Grammar::buildah) platform = {flags.text("os"), flags.text("arch"), flags.text("variant")};
  std::string digest;
  if (artifact) {
    const auto added = add_files(session, stored, grammar);
    describe_entry(flags, grammar, stored.list.entry(added));
    digest = added.str();
  } else {
    for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
      const auto reference = find_member(session, invocation.arguments[i], false);
      const auto added = add_image(session, stored, *reference, flags.flag("all"), platform);
      describe_entry(flags, grammar, stored.list.entry(added));
      digest = added.str();
    }
  }
  stored.save(session.context(), *session.store());
  invocation.out.line(grammar == Grammar::podman ? stored.id : stored.id + ": " + digest);
  return 0;
}

// ---- annotate

void check_annotate(const Invocation& invocation, bool whole) {
  const auto& arguments = invocation.arguments;
  require_between(invocation, 1, 2);
  if (arguments.size() == 1 && !whole) refuse_list("expected an instance digest, image name, or artifact name");
  if (arguments.size() == 2 && whole)
    refuse_list(fmt::format(
        "did not expect image or artifact name \"{}\" when modifying the entire index", arguments[1]));
  if (!whole) return;
  for (const char* name : {"os", "arch", "variant", "os-version", "os-features", "features"})
    if (invocation.flags.given(name))
      refuse_list(fmt::format("setting {} on an item in a manifest list requires an instance digest", name));
}

int annotate(Invocation& invocation, Grammar grammar) {
  const Flags& flags = invocation.flags;
  const std::string subject = flags.text("subject");
  const bool whole = flags.flag("index") || !subject.empty();
  check_annotate(invocation, whole);
  EngineSession session(invocation);
  auto stored = StoredList::load(session.images(), invocation.arguments[0]);
  const auto lock = engine::lock_list(session.context(), *session.store(), stored.id);
  stored = StoredList::load(session.images(), stored.id);
  std::string shown = stored.id;
  if (whole) {
    stored.list.annotate(annotations_given(flags, "annotation", grammar));
    if (!subject.empty())
      stored.list.set_subject(describe_subject(session, *find_member(session, subject, true)));
  } else {
    const auto digest = find_entry(session, stored, invocation.arguments[1]);
    describe_entry(flags, grammar, stored.list.entry(digest));
    if (grammar == Grammar::buildah) shown += ": " + digest.str();
  }
  stored.save(session.context(), *session.store());
  invocation.out.line(shown);
  return 0;
}

// ---- remove, rm, exists

int remove(Invocation& invocation, Grammar grammar) {
  if (grammar == Grammar::buildah) require_at_least(invocation, 2);
  require_exactly(invocation, 2);
  EngineSession session(invocation);
  auto stored = StoredList::load(session.images(), invocation.arguments[0]);
  const auto lock = engine::lock_list(session.context(), *session.store(), stored.id);
  stored = StoredList::load(session.images(), stored.id);
  const std::string& typed = invocation.arguments[1];
  const auto remove_entry = [&] {
    if (grammar == Grammar::podman && !spec::Digest::try_parse(typed))
      refuse_list(fmt::format("invalid image digest \"{}\": invalid checksum digest format", typed));
    const auto found = find_entry(session, stored, typed);
    stored.list.remove(found);
    return found;
  };
  const auto digest =
      grammar == Grammar::buildah
          ? remove_entry()
          : in_context([&] { return fmt::format("removing from manifest list {}", invocation.arguments[0]); },
                       remove_entry);
  stored.instances.erase(digest.str());
  for (auto* map : {&stored.artifacts.manifests, &stored.artifacts.configs}) map->erase(digest.str());
  for (auto* map : {&stored.artifacts.files, &stored.artifacts.layers}) map->erase(digest.str());
  stored.save(session.context(), *session.store());
  invocation.out.line(grammar == Grammar::podman ? stored.id : stored.id + ": " + digest.str());
  return 0;
}

int remove_lists(Invocation& invocation, Grammar grammar) {
  require_at_least(invocation, 1);
  EngineSession session(invocation);
  engine::RemoveOptions options;
  options.ignore = grammar == Grammar::podman && invocation.flags.flag("ignore");
  const auto images = session.images();
  for (const std::string& name : invocation.arguments)
    if (images.find(name)) (void)StoredList::load(images, name);
  const auto report = engine::remove_images(session.context(), session.store(), session.registries(),
                                            invocation.arguments, options);
  const bool podman = grammar == Grammar::podman;
  for (const std::string& name : report.untagged)
    invocation.out.line((podman ? "Untagged: " : "untagged: ") + name);
  for (const std::string& id : report.deleted) invocation.out.line((podman ? "Deleted: " : "") + id);
  invocation.out.flush();
  if (report.errors.empty()) return 0;
  if (!podman) return fail(exit_engine_error, list_errors(report.errors));
  return fail(report.all_unknown ? exit_no_such_image : exit_engine_error, join_errors(report.errors));
}

int exists(Invocation& invocation) {
  require_exactly(invocation, 1);
  EngineSession session(invocation);
  const auto images = session.images();
  if (!images.find(invocation.arguments[0])) return exit_no_such_image;
  (void)StoredList::load(images, invocation.arguments[0]);
  return 0;
}

// ---- inspect

spec::RawManifest remote_list(EngineSession& session, const std::string& name, Grammar grammar) {
  std::vector<std::string> targets;
  if (names_transport(name)) {
    targets.push_back(name);
  } else {
    for (const auto& reference : engine::pull_candidates(name, session.registries()).references)
      targets.push_back("docker://" + reference.str());
  }
  std::string reasons;
  for (const std::string& target : targets) {
    try {
      const auto reference = transport::parse_image_name(target);
      const auto source = reference->open_source(session.context(), options_for(session, *reference));
      auto raw = source->manifest(session.context(), std::nullopt);
      const bool is_list =
          raw.media_type == spec::media_type::docker_list || raw.media_type == spec::media_type::oci_index;
      if (is_list || grammar == Grammar::podman) return raw;
      refuse_list(fmt::format("manifest is of type {} (not a list type)", raw.media_type));
    } catch (const Error& error) {
      if (targets.size() == 1)
        throw Error(error.kind(), fmt::format("reading image \"{}\": {}", target, error.what()));
      reasons += fmt::format("\n * {}: {}", target, error.what());
    }
  }
  throw Error(Kind::not_found, "locating the manifest list:" + reasons);
}

int inspect(Invocation& invocation, Grammar grammar) {
  if (grammar == Grammar::buildah) {
    require_at_least(invocation, 1);
    if (invocation.arguments.size() > 1) refuse_list("only one argument is necessary for inspect: an image name");
  }
  require_exactly(invocation, 1);
  EngineSession session(invocation);
  return print_list(session, invocation.arguments[0], grammar);
}

// ---- push

int push(Invocation& invocation, Grammar grammar) {
  if (grammar == Grammar::buildah) require_at_least(invocation, 1);
  require_between(invocation, 1, 2);
  const Flags& flags = invocation.flags;
  EngineSession session(invocation);
  const auto images = session.images();
  const auto stored = [&] {
    if (grammar == Grammar::buildah) return StoredList::load(images, invocation.arguments[0]);
    return in_context(
        [&] { return fmt::format("retrieving local image from image name {}", invocation.arguments[0]); },
        [&] { return StoredList::load(images, invocation.arguments[0]); });
  }();
  const auto destination = parse_destination(invocation.arguments.back());
  const std::string format = flags.text("format");
  if (!format.empty() && format != "oci" && format != "v2s2" && format != "docker")
    refuse_list(
        fmt::format("unknown format \"{}\". Choose one of the supported formats: 'oci' or 'v2s2'", format));
  const auto source = engine::list_reference(
      stored, [&](const transport::ImageReference& reference) { return options_for(session, reference); });
  const bool all = flags.find_flag("all").value_or(true);
  using Instances = copy::CopyOptions::Instances;
  const auto manifest = transfer(session, {.source = *source,
                                           .destination = *destination,
                                           .manifest_type = manifest_type_named(format),
                                           .instances = all ? Instances::all : Instances::index_only});
  if (flags.given("digestfile")) write_digest(flags.text("digestfile"), manifest.digest);
  if (flags.flag("rm")) session.store()->delete_image(session.context(), stored.id);
  return 0;
}

// ---- the commands

template <Grammar grammar, int (*run)(Invocation&, Grammar)>
int run_as(Invocation& invocation) {
  if (grammar == Grammar::buildah) require_flags_first(invocation);
  return run(invocation, grammar);
}

template <Grammar grammar>
std::vector<common::Command> commands_of() {
  using common::ArgumentHint;
  constexpr bool podman = grammar == Grammar::podman;
  return {
      {.name = "manifest create",
       .summary = "Create manifest list or image index",
       .description = "Creates a manifest list, of no images or of those that are named. Prints its ID.",
       .synopsis = "[options] LIST [IMAGE...]",
       .example = "manifest create mylist:v1.11\nmanifest create --all mylist:v1.11 transport:tagged-image",
       .argument = ArgumentHint::image,
       .options = podman ? podman_create_options : buildah_create_options,
       .run = run_as<grammar, create>,
       .runs_program = !podman},
      {.name = "manifest add",
       .summary = "Add images or artifacts to a manifest list or image index",
       .description = "Adds images, or files as an artifact, to a manifest list.",
       .synopsis = "[options] LIST IMAGEORARTIFACT [IMAGEORARTIFACT...]",
       .example = "manifest add mylist:v1.11 image:v1.11-amd64\nmanifest add mylist:v1.11 transport:imageName",
       .argument = ArgumentHint::image,
       .options = list_add_options,
       .run = run_as<grammar, add>,
       .runs_program = !podman},
      {.name = "manifest annotate",
       .summary = "Add or update information about an entry in a manifest list or image index",
       .description = "Changes what the list says of an entry, or with --index of itself.",
       .synopsis = "[options] LIST [IMAGEORARTIFACT]",
       .example = "manifest annotate --annotation left=right mylist:v1.11 sha256:<digest>",
       .argument = ArgumentHint::image,
       .options = list_annotate_options,
       .run = run_as<grammar, annotate>,
       .runs_program = !podman},
      {.name = "manifest inspect",
       .summary = "Display the contents of a manifest list or image index",
       .description = "Prints a manifest list of the store, or else one of a registry.",
       .synopsis = "[options] LIST",
       .example = "manifest inspect mylist:v1.11",
       .argument = ArgumentHint::image,
       .options = list_inspect_options,
       .run = run_as<grammar, inspect>,
       .runs_program = !podman},
      {.name = "manifest push",
       .summary = "Push a manifest list or image index to a registry",
       .description = "Pushes a manifest list and its images to a registry or to another transport.",
       .synopsis = "[options] LIST [DESTINATION]",
       .example = "manifest push mylist:v1.11 docker://registry.example.com/image:v1.11",
       .argument = ArgumentHint::image,
       .options = list_push_options,
       .run = run_as<grammar, push>,
       .runs_program = !podman},
      {.name = "manifest remove",
       .summary = "Remove an item from a manifest list or image index",
       .description = "Removes an image or an artifact from a manifest list.",
       .synopsis = "LIST IMAGE",
       .example = "manifest remove mylist:v1.11 sha256:<digest>",
       .argument = ArgumentHint::image,
       .run = run_as<grammar, remove>,
       .runs_program = !podman},
      {.name = "manifest rm",
       .summary = "Remove manifest list or image index from local storage",
       .description = "Removes manifest lists, but none of their images, from the store.",
       .synopsis = "[options] LIST [LIST...]",
       .example = "manifest rm mylist:v1.11",
       .argument = ArgumentHint::image,
       .options = podman ? podman_rm_options : nullptr,
       .run = run_as<grammar, remove_lists>,
       .runs_program = !podman},
      {.name = "manifest exists",
       .summary = "Check if a manifest list exists in local storage",
       .description = "Exits with 0 if the manifest list is there, with 1 otherwise.",
       .synopsis = "LIST",
       .example = "manifest exists mylist",
       .argument = ArgumentHint::image,
       .run = exists,
       .runs_program = !podman},
  };
}

template <Grammar grammar>
std::span<const common::Command* const> table_of() {
  static const std::vector<common::Command> commands = commands_of<grammar>();
  static const std::vector<const common::Command*> pointers = [] {
    std::vector<const common::Command*> list;
    for (const auto& command : commands) list.push_back(&command);
    return list;
  }();
  return pointers;
}

}  // namespace

std::span<const common::Command* const> manifest_commands(Grammar grammar) {
  return grammar == Grammar::podman ? table_of<Grammar::podman>() : table_of<Grammar::buildah>();
}

int print_list(EngineSession& session, const std::string& name, Grammar grammar) {
  const auto images = session.images();
  common::Output& out = session.invocation().out;
  if (!names_transport(name)) {
    if (const auto found = images.find(name); found && images.is_list(*found->image)) {
      const auto stored = StoredList::load(images, name);
      out.line(spec::dump_json(stored.list.to_json(stored.artifacts.files), list_indent));
      return 0;
    }
  }
  const auto raw = remote_list(session, name, grammar);
  out.line(spec::dump_json(spec::parse_json(raw.bytes, "manifest"), list_indent));
  return 0;
}

}  // namespace lade::engines
