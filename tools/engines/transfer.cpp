#include "engines/transfer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/encryption_options.hpp"
#include "common/progress.hpp"
#include "common/retry.hpp"
#include "config/blob_info_cache.hpp"
#include "copy/copy.hpp"
#include "engine/image_names.hpp"
#include "engine/registry_sources.hpp"
#include "engines/archives.hpp"
#include "engines/short_names.hpp"
#include "io/codec/codec.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"
#include "spec/image_name.hpp"
#include "spec/media_type.hpp"
#include "transport/archive_input.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/oci/layout_index.hpp"
#include "transport/transports.hpp"

namespace lade::engines {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

namespace {

constexpr std::int64_t default_retries = 3;
constexpr std::chrono::milliseconds default_delay{2000};

[[noreturn]] void refuse_transfer(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::optional<std::string> text_of(const Flags& flags, std::string_view name) {
  return flags.has(name) ? flags.find_text(name) : std::nullopt;
}

void set_compression(const Flags& flags, copy::CopyOptions& options) {
  if (const auto name = text_of(flags, "compression-format")) {
    if (!copy::set_compression(options, *name))
      refuse_transfer(fmt::format("cannot find compressor for \"{}\"", *name));
  }
  if (flags.has("compression-level")) {
    if (const auto level = flags.find_integer("compression-level")) {
      if (*level < 1 || *level > 20) refuse_transfer(fmt::format("invalid compression level {}", *level));
      options.compression_level = static_cast<int>(*level);
    }
    options.force_compression_format = flags.flag("force-compression");
  }
}

spec::PlatformChoice platform_of(const Flags& flags) {
  if (!flags.has("platform")) return {};
  spec::PlatformChoice choice{flags.text("os"), flags.text("arch"), flags.text("variant")};
  std::string platform = flags.text("platform");
  platform.resize(std::min(platform.find(','), platform.size()));
  if (platform.empty()) return choice;
  if (flags.given("os") || flags.given("arch"))
    refuse_transfer("--platform option can not be specified with --arch or --os");
  const auto parsed = spec::Platform::parse(platform);
  return {parsed.os, parsed.architecture, parsed.variant};
}

std::string id_of_stored(EngineSession& session, const std::string& name) {
  return session.images().get(name).image->id;
}

engine::RegistrySources registry_sources(EngineSession& session) {
  return engine::RegistrySources::parse(session.session().environment().get("BUILD_REGISTRY_SOURCES"));
}

class Puller {
 public:
  Puller(EngineSession& session, std::string policy)
      : session_(session), flags_(session.invocation().flags), policy_(std::move(policy)) {
    platform_ = platform_of(flags_);
  }

  // IDs, in order.
  std::vector<std::string> pull(const std::string& name) {
    if (names_transport(name)) return pull_from_transport(name);
    const bool all = wants_all_tags();
    const auto local = find_local(name);
    // An ID is here or nowhere.
    const bool is_id = !local && spec::Digest::try_parse(name);
    if (policy_ == "never" || is_id) {
      if (!local) throw Error(Kind::image_not_found, fmt::format("{}: image not known", name));
      return {*local};
    }
    if (policy_ == "missing" && local && !all) return {*local};
    // What is here under a short name already is looked for under its full one.
    const std::string here = local_name(name);
    const auto chosen = choose_candidates(session_, here.empty() ? name : here);
    const auto& candidates = chosen.candidates;
    if (!candidates.explanation.empty()) say(candidates.explanation);
    std::vector<std::string> errors;
    for (const spec::Reference& candidate : candidates.references) {
      try {
        const auto ids = all ? pull_all_tags(candidate) : std::vector{pull_reference(candidate, local)};
        remember_choice(session_, chosen);
        return ids;
      } catch (const Error& error) {
        errors.emplace_back(error.what());
        if (candidates.references.size() == 1) throw;
      }
    }
    std::string text = fmt::format("{} errors occurred while pulling:", errors.size());
    for (const std::string& error : errors) text += "\n * " + error;
    throw Error(Kind::unavailable, text);
  }

 private:
  bool is_quiet() const { return flags_.has("quiet") && flags_.flag("quiet"); }
  bool wants_all_tags() const { return flags_.has("all-tags") && flags_.flag("all-tags"); }

  void say(const std::string& line) const {
    if (!is_quiet()) common::write_best_effort(2, line + "\n");
  }

  std::string local_name(const std::string& name) const {
    const auto images = session_.images();
    const auto found = images.find(name);
    return found ? found->name : "";
  }

  std::optional<std::string> find_local(const std::string& name) const {
    const auto images = session_.images();
    const auto found = images.find(name);
    return found ? std::optional(found->image->id) : std::nullopt;
  }

  std::string pull_reference(const spec::Reference& reference, const std::optional<std::string>& local) {
    const transport::DockerReference source(reference);
    if (policy_ == "newer" && local && !is_newer(source, *local)) return *local;
    say(fmt::format("Trying to pull {}...", reference.str()));
    const auto destination = transport::parse_image_name("containers-storage:" + reference.str());
    in_context([&] { return "unable to copy from source " + source.str(); },
               [&] {
                 transfer(session_,
                          {.source = source, .destination = *destination, .platform = platform_});
               });
    return id_of_stored(session_, reference.str());
  }

  bool is_newer(const transport::DockerReference& reference, const std::string& local) const {
    const auto source = reference.open_source(session_.context(), options_for(session_, reference));
    const auto digest = source->manifest(session_.context(), std::nullopt).digest;
    const auto images = session_.images();
    const auto* image = images.by_id(local);
    if (image == nullptr) return true;
    const auto digests = image->digests();
    return std::find(digests.begin(), digests.end(), digest) == digests.end();
  }

  std::vector<std::string> pull_all_tags(const spec::Reference& reference) {
    const spec::Reference repository = reference.without_tag_or_digest();
    const transport::DockerReference any(repository.with_default_tag());
    const auto tags = transport::list_docker_tags(session_.context(), repository, options_for(session_, any));
    std::vector<std::string> ids;
    for (const std::string& tag : tags)
      ids.push_back(pull_reference(repository.with_tag(tag), std::nullopt));
    return ids;
  }

  std::vector<std::string> pull_from_transport(const std::string& name) {
    if (wants_all_tags() && !name.starts_with("docker://"))
      refuse_transfer(fmt::format("pulling all tags is not supported for {} transport", name.substr(0, name.find(':'))));
    const auto source = transport::parse_image_name(name);
    if (source->transport() == "docker-archive" && source->rest().find(':') == std::string::npos) {
      std::vector<std::string> ids;
      for (const Imported& imported : import_docker_archive(session_, source->rest()))
        if (std::find(ids.begin(), ids.end(), imported.id) == ids.end()) ids.push_back(imported.id);
      return ids;
    }
    if (source->transport() != "docker") return {import_image(session_, *source).id};
    const auto reference = source->docker_reference();
    if (wants_all_tags()) return pull_all_tags(*reference);
    return {pull_reference(reference->with_default_tag(), std::nullopt)};
  }

  EngineSession& session_;
  const Flags& flags_;
  std::string policy_;
  spec::PlatformChoice platform_;
};

std::string policy_named(const Flags& flags, const std::string& default_policy) {
  const std::string word = flags.find_text("policy").value_or(default_policy);
  if (word == "ifnewer") return "newer";
  for (const char* known : {"always", "missing", "newer", "never"})
    if (word == known) return word;
  refuse_transfer(fmt::format("unsupported pull policy \"{}\"", word));
}

// The name that the only image of an OCI archive has in its index; "" for none.
std::string name_in_archive(const Context& context, const std::string& path) {
  const auto archive =
      transport::open_archive(context, path, "/var/tmp", archive::TarIndex::Duplicates::last);
  const auto* entry = archive.find_file(transport::oci::index_file);
  if (entry == nullptr) return "";
  const auto reader = archive.open(*entry);
  const transport::oci::LayoutIndex index(
      io::read_all(*reader, transport::oci::max_index_size, transport::oci::index_file));
  return index.manifests().size() == 1 ? transport::oci::LayoutIndex::name_of(index.manifests().front()) : "";
}

// The name that an image has where it comes from, made a full one; "" for none. A path is no name.
std::string name_of_imported(const Context& context, const transport::ImageReference& source) {
  if (const auto reference = source.docker_reference()) return reference->with_default_tag().str();
  const std::string rest = source.rest();
  const std::size_t colon = rest.find(':');
  const std::string path = rest.substr(0, colon);
  if (source.transport() == "docker-archive") {
    const auto tags = transport::docker_archive_tags(context, source, {});
    if (tags.size() == 1 && !tags.front().starts_with('@')) return spec::Reference::parse(tags.front()).str();
  }
  if (source.transport() != "oci" && source.transport() != "oci-archive") return "";
  std::string name = colon == std::string::npos ? "" : rest.substr(colon + 1);
  if (source.transport() == "oci-archive" && name.empty()) name = name_in_archive(context, path);
  if (source.transport() == "oci" && name.empty() && !path.starts_with('/')) name = path;
  if (name.starts_with('@')) name.clear();
  return name.empty() ? "" : engine::normalize_name(name).str();
}

}  // namespace

common::RetryOptions transfer_retries(const Flags& flags) {
  common::RetryOptions options{default_retries, default_delay};
  if (flags.has("retry")) {
    if (const auto times = flags.find_unsigned("retry")) options.times = static_cast<std::int64_t>(*times);
    if (const auto delay = flags.find_duration("retry-delay"))
      options.delay = std::chrono::duration_cast<std::chrono::milliseconds>(*delay);
  }
  return options;
}

void require_allowed(EngineSession& session, const transport::ImageReference& reference,
                     std::string_view subject) {
  const auto name = reference.docker_reference();
  if (name && reference.transport() == "docker")
    registry_sources(session).require_allowed(subject, name->domain());
}

transport::Options options_for(EngineSession& session, const transport::ImageReference& reference) {
  transport::Options options = session.session().transport_options("", reference);
  options.store = session.store_options();
  if (const auto name = reference.docker_reference(); name && reference.transport() == "docker")
    if (registry_sources(session).is_insecure(name->domain())) options.registry.tls_verify = false;
  return options;
}

bool names_transport(const std::string& name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return false;
  const std::string_view word = std::string_view(name).substr(0, colon);
  const auto all = transport::transports();
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const transport::Transport* t) { return t->name() == word; });
  // "oci:latest" could be an image; a transport is followed by a path, and only docker's by slashes.
  return known && (word != "docker" || std::string_view(name).substr(colon).starts_with("://"));
}

void write_digest(const std::string& path, const spec::Digest& digest) {
  in_context("failed to write digest to file " + path, [&] {
    os::FileWriter writer(os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    const std::string text = digest.str();
    writer.write(io::as_bytes(text));
  });
}

std::vector<Option> registry_access_options() {
  return {
      {.name = "authfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
      {.name = "cert-dir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "certificates for the registry"},
      {.name = "creds",
       .kind = ValueKind::text,
       .value_name = "USER:PASSWORD",
       .help = "credentials to use for the registry"},
      {.name = "quiet", .short_name = 'q', .help = "Suppress output information"},
      {.name = "retry",
       .kind = ValueKind::unsigned_integer,
       .help = "how often a failed transfer is repeated (default 3)"},
      {.name = "retry-delay", .kind = ValueKind::duration, .help = "time between repetitions (default 2s)"},
      signature_policy_option(),
      {.name = "tls-verify", .help = "require HTTPS and verify certificates when accessing the registry"},
  };
}

Option signature_policy_option() {
  return {.name = "signature-policy",
          .kind = ValueKind::text,
          .value_name = "PATH",
          .help = "policy of signatures, in place of /etc/containers/policy.json",
          .hidden = true};
}

std::vector<Option> pull_options(const std::string& default_policy) {
  std::vector<Option> options = {
      {.name = "all-tags", .short_name = 'a', .help = "All tagged images in the repository will be pulled"},
      {.name = "arch",
       .kind = ValueKind::text,
       .help = "Use ARCH instead of the architecture of the machine"},
      {.name = "os", .kind = ValueKind::text, .help = "Use OS instead of the running OS"},
      {.name = "platform",
       .kind = ValueKind::text,
       .value_name = "OS/ARCH",
       .help = "Platform to choose from a list"},
      {.name = "policy",
       .kind = ValueKind::text,
       .help = fmt::format("always, missing, newer or never (default {})", default_policy),
       .choices = {"always", "missing", "newer", "never"}},
      {.name = "variant", .kind = ValueKind::text, .help = "Use VARIANT instead of that of the machine"},
  };
  common::append(options, registry_access_options());
  common::append(options, common::decryption_options());
  return options;
}

std::vector<Option> push_options() {
  std::vector<Option> options = {
      {.name = "compression-format",
       .kind = ValueKind::text,
       .help = "compression of the layers (gzip, zstd or zstd:chunked)",
       .choices = {"gzip", "zstd", "zstd:chunked"}},
      {.name = "compression-level", .kind = ValueKind::integer, .help = "gzip 1-9, zstd 1-20"},
      {.name = "digestfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Write the digest of the pushed image to the specified file"},
      {.name = "force-compression", .help = "compress layers again that have another compression"},
      {.name = "format",
       .short_name = 'f',
       .kind = ValueKind::text,
       .help = "Manifest type (oci, v2s2, or v2s1) to use in the destination (default is manifest type of "
               "source, with "
               "fallbacks)",
       .choices = {"oci", "v2s2", "v2s1"}},
      {.name = "remove-signatures", .help = "Discard any pre-existing signatures in the image"},
  };
  common::append(options, registry_access_options());
  common::append(options, unavailable_options({{"sign-by", ValueKind::text},
                                               {"sign-by-sigstore", ValueKind::text},
                                               {"sign-by-sigstore-private-key", ValueKind::text},
                                               {"sign-passphrase-file", ValueKind::text}},
                                              "signing is not available in lade yet"));
  common::append(options, common::encryption_options());
  return options;
}

std::string manifest_type_named(const std::string& format) {
  if (format.empty()) return "";
  if (format == "oci") return std::string(spec::media_type::oci_manifest);
  if (format == "v2s1") return std::string(spec::media_type::docker_manifest_v1_signed);
  if (format == "v2s2" || format == "docker") return std::string(spec::media_type::docker_manifest);
  refuse_transfer(fmt::format(
      "unknown format \"{}\". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'", format));
}

std::unique_ptr<transport::ImageReference> stored_image(const std::string& id) {
  return transport::parse_image_name("containers-storage:@" + id);
}

spec::RawManifest transfer(EngineSession& session, const Transfer& what) {
  const Flags& flags = session.invocation().flags;
  require_allowed(session, what.source, "registry");
  require_allowed(session, what.destination, "registry");
  copy::CopyOptions options;
  options.source = options_for(session, what.source);
  options.destination = options_for(session, what.destination);
  options.destination.additional_tags = what.more_tags;
  options.destination.accept_uncompressed_layers = what.preserve_layers;
  options.destination.dir_compress = what.compress_directory;
  options.instances = what.instances;
  options.platform = what.platform;
  options.manifest_type = what.manifest_type;
  options.remove_signatures = flags.has("remove-signatures") && flags.flag("remove-signatures");
  set_compression(flags, options);
  common::apply_encryption_options(flags, options);
  const auto cache = config::make_blob_info_cache(
      config::blob_info_cache_path(session.session().environment()), session.invocation().logger);
  options.cache = cache.get();
  common::Output err(2, "/dev/stderr");
  const bool quiet = flags.has("quiet") && flags.flag("quiet");
  const auto progress = common::make_progress(common::parse_progress_mode(quiet ? "none" : "auto", err), err,
                                              session.invocation().logger);
  const Context& plain = session.context();
  const Context context{plain.stop, plain.log, *progress, plain.clock};
  const trust::PolicyContext policy = session.session().policy();
  std::optional<copy::CopyResult> result;
  common::retry(context, transfer_retries(flags),
                [&] { result = copy::copy_image(context, policy, what.source, what.destination, options); });
  return std::move(result->manifest);
}

Imported import_image(EngineSession& session, const transport::ImageReference& source) {
  const std::string name = name_of_imported(session.context(), source);
  if (!name.empty()) {
    const auto destination = transport::parse_image_name("containers-storage:" + name);
    transfer(session, {.source = source, .destination = *destination});
    return {id_of_stored(session, name), name};
  }
  const auto image = source.open_source(session.context(), options_for(session, source));
  const auto raw = image->manifest(session.context(), std::nullopt);
  const std::string id = spec::Manifest::parse(raw.bytes, raw.media_type).config().digest.hex();
  transfer(session, {.source = source, .destination = *stored_image(id)});
  return {id, ""};
}

std::vector<std::string> pull_images(EngineSession& session, const std::string& name,
                                     const std::string& policy) {
  return Puller(session, policy).pull(name);
}

int run_pull(Invocation& invocation, const std::string& default_policy, const std::string& without_image) {
  if (invocation.arguments.empty() && !without_image.empty()) refuse_transfer(without_image);
  require_at_least(invocation, 1);
  EngineSession session(invocation);
  Puller puller(session, policy_named(invocation.flags, default_policy));
  for (const std::string& name : invocation.arguments) {
    for (const std::string& id : puller.pull(name)) invocation.out.line(id);
    invocation.out.flush();
  }
  return 0;
}

std::unique_ptr<transport::ImageReference> parse_destination(const std::string& target) {
  if (names_transport(target)) return transport::parse_image_name(target);
  try {
    return transport::parse_image_name("docker://" + target);
  } catch (const Error&) {
    // What it says of the text as it stands is more use.
    return transport::parse_image_name(target);
  }
}

int run_push(Invocation& invocation, const PushRules& rules) {
  if (invocation.arguments.empty() && !rules.without_image.empty()) refuse_transfer(rules.without_image);
  require_between(invocation, 1, 2);
  EngineSession session(invocation);
  constexpr std::string_view docker = "docker://";
  std::string name = invocation.arguments[0];
  std::string target = invocation.arguments.back();
  // `push docker://registry/x` alone means the local image of that name.
  if (invocation.arguments.size() == 1 && name.starts_with(docker)) name.erase(0, docker.size());
  const auto images = session.images();
  const auto found = [&] {
    if (!rules.names_failures) return images.get_image(name);
    return in_context([&] { return fmt::format("pushing image \"{}\" to \"{}\"", name, target); },
                      [&] { return images.get_image(name); });
  }();
  if (invocation.arguments.size() == 1) {
    const auto named = images.get(name);
    target = named.name.empty() ? name : named.name;
  }
  const auto destination = parse_destination(target);
  const Flags& flags = invocation.flags;
  // Archives keep the name that the image has here.
  std::vector<spec::Reference> tags;
  if (destination->transport() == "docker-archive" && !found.name.empty())
    tags.push_back(spec::Reference::parse(found.name));
  const auto manifest =
      transfer(session, {.source = *stored_image(found.image->id),
                         .destination = *destination,
                         .manifest_type = manifest_type_named(flags.text("format")),
                         .more_tags = tags,
                         .preserve_layers = flags.has("disable-compression") && flags.flag("disable-compression")});
  if (invocation.flags.given("digestfile"))
    write_digest(invocation.flags.text("digestfile"), manifest.digest);
  return 0;
}

}  // namespace lade::engines
