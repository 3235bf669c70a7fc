#include "image/inspect.hpp"

#include <fmt/format.h>

#include <exception>

#include "base/parallel.hpp"
#include "common/option_groups.hpp"
#include "common/report.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "io/digester.hpp"
#include "registry/client.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/image_name.hpp"
#include "skopeo/inspect_types.hpp"
#include "transport/docker/docker.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
using transport::ImageReference;
using transport::ImageSource;

constexpr int indent = 4;
constexpr std::string_view report_name = "skopeo inspect";
constexpr int status_not_found = 404;

std::vector<Option> inspect_options() {
  std::vector<Option> options = common::image_options("");
  common::append(options, common::retry_option_group());
  options.push_back(common::authfile_option());
  common::append(
      options,
      {{.name = "config", .help = "output configuration"},
       {.name = "format",
        .short_name = 'f',
        .kind = ValueKind::text,
        .help = "Format the output to a Go template"},
       {.name = "manifest-digest",
        .kind = ValueKind::text,
        .value_name = "ALGORITHM",
        .help =
            "Algorithm to use for computing the manifest's digest (sha256 or sha512; default is that of the "
            "config's digest)",
        .choices = {"sha256", "sha512"}},
       {.name = "no-tags",
        .short_name = 'n',
        .help = "Do not list the available tags from the repository in the output"},
       {.name = "platforms", .help = "output a table of the platforms of a list, with digests and sizes"},
       {.name = "raw", .help = "output raw manifest or configuration"},
       {.name = "size", .help = "add the size of config and layers, as they are transferred, in bytes"}});
  return options;
}

std::string as_json(const spec::Json& document) {
  return spec::dump_json(document, indent) + "\n";
}

std::string formatted(const std::string& format, const spec::Json& document,
                      common::gotemplate::Value (*value)(const spec::Json&)) {
  if (format.empty() || common::is_json_format(format)) return as_json(document);
  return common::render_report(report_name, format, value(document));
}

// Some registries keep the list to themselves, which is no reason to show nothing.
bool is_refusal_to_list(const Error& error) {
  const auto* answer = dynamic_cast<const registry::RegistryError*>(&error);
  if (answer == nullptr) return false;
  return answer->has_code("DENIED") || (answer->status() == status_not_found && answer->entries().empty());
}

std::vector<std::string> repository_tags(const Context& context, const ImageReference& reference,
                                         const transport::Options& options) {
  const auto name = reference.docker_reference();
  if (!name) return {};
  try {
    return transport::list_docker_tags(context, *name, options);
  } catch (Error& error) {
    if (is_refusal_to_list(error)) {
      context.log.warning("Registry disallows tag list retrieval; skipping");
      return {};
    }
    error.add_context("Error determining repository tags");
    throw;
  }
}

// What one run of the command works on.
struct Target {
  std::unique_ptr<ImageReference> reference;
  transport::Options options;
  spec::PlatformChoice platform;
};

std::optional<spec::Digest::Algorithm> digest_algorithm(const Flags& flags) {
  const std::string name = flags.text("manifest-digest");
  if (name.empty()) return std::nullopt;
  if (name == "sha256") return spec::Digest::Algorithm::sha256;
  if (name == "sha512") return spec::Digest::Algorithm::sha512;
  throw Error(Kind::invalid_input,
              fmt::format("Error computing manifest digest: digest algorithm \"{}\" is not available", name));
}

// Of what the reference names, by the algorithm that was asked for, or else by that of its config's digest.
spec::Digest shown_digest(const spec::RawManifest& top, const image::Image& image, const Flags& flags) {
  const auto asked = digest_algorithm(flags);
  const auto algorithm = asked                         ? *asked
                         : image.manifest() != nullptr ? image.manifest()->config().digest.algorithm()
                                                       : spec::Digest::Algorithm::sha256;
  if (top.digest.algorithm() == algorithm) return top.digest;
  return io::digest_of(spec::manifest_payload(top.bytes), algorithm);
}

std::unique_ptr<ImageSource> open(const Context& context, const Target& target, const std::string& name) {
  return in_context([&] { return fmt::format("Error parsing image name \"{}\"", name); },
                    [&] { return target.reference->open_source(context, target.options); });
}

spec::RawManifest top_manifest(const Context& context, ImageSource& source) {
  return in_context("Error retrieving manifest for image",
                    [&] { return source.manifest(context, std::nullopt); });
}

image::Image choose(const Context& context, ImageSource& source, const spec::RawManifest& top,
                    const spec::PlatformChoice& platform) {
  return in_context("Error parsing manifest for image", [&] {
    return image::Image(source, image::choose_instance(context, source, top, platform));
  });
}

std::string show_config(const Context& context, image::Image& image, const Flags& flags) {
  if (flags.flag("raw")) {
    return in_context("Error reading configuration blob", [&] { return image.config_bytes(context); });
  }
  const spec::Json document = in_context("Error reading OCI-formatted configuration data",
                                         [&] { return image.config(context).oci_document(); });
  return formatted(flags.text("format"), document, config_value);
}

std::string show_platforms(const Context& context, ImageSource& source, const spec::RawManifest& top,
                           const std::string& format) {
  const auto rows = image::platform_rows(context, source, top);
  if (common::is_json_format(format)) {
    spec::Json list = spec::Json::array();
    for (const image::PlatformRow& row : rows) {
      list.push_back({{"Platform", row.platform.str()},
                      {"Digest", row.digest.str()},
                      {"MIMEType", row.media_type},
                      {"ArtifactType", row.artifact_type},
                      {"Size", row.size ? spec::Json(*row.size) : spec::Json(nullptr)}});
    }
    return as_json({{"Platforms", std::move(list)}});
  }
  std::string table = "PLATFORM\tSIZE\tDIGEST\n";
  for (const image::PlatformRow& row : rows) {
    const bool named = !row.platform.os.empty() || !row.platform.architecture.empty();
    const std::string what = named ? row.platform.str() : row.artifact_type.empty() ? "-" : row.artifact_type;
    const std::string size = row.size ? common::format_bytes(static_cast<double>(*row.size)) : "-";
    table += fmt::format("{}\t{}\t{}\n", what, size, row.digest.str());
  }
  return common::align_columns(table);
}

// The tags come while manifest and config do: on a far registry each round trip counts.
spec::Json inspect_with_tags(const Context& context, const Target& target, const std::string& name,
                             const Flags& flags) {
  spec::Json document;
  std::vector<std::string> tags;
  std::exception_ptr tags_failure;  // told only if the image itself could be had
  std::unique_ptr<ImageSource> source;
  const auto inspect_image = [&](const Context& inner) {
    source = open(inner, target, name);
    const spec::RawManifest top = top_manifest(inner, *source);
    image::Image image = choose(inner, *source, top, target.platform);
    image::Inspection inspection = image::inspect(inner, image, shown_digest(top, image, flags));
    if (const auto reference = target.reference->docker_reference()) inspection.name = reference->name();
    document = inspection.to_json();
    if (flags.flag("size")) {
      const auto size = image::total_size(image);
      document["Size"] = size ? spec::Json(*size) : spec::Json(nullptr);
    }
  };
  const auto list_tags = [&](const Context& inner) {
    try {
      tags = repository_tags(inner, *target.reference, target.options);
    } catch (...) {
      tags_failure = std::current_exception();
    }
  };
  const bool wants_tags = target.reference->transport() == "docker" && !flags.flag("no-tags");
  parallel_for(context, wants_tags ? 2 : 1, 2, [&](const Context& inner, std::size_t task) {
    task == 0 ? inspect_image(inner) : list_tags(inner);
  });
  if (tags_failure) std::rethrow_exception(tags_failure);
  document["RepoTags"] = tags;
  return document;
}

std::string show(const Context& context, const Target& target, const std::string& name, const Flags& flags) {
  const bool raw = flags.flag("raw");
  const bool config = flags.flag("config");
  if (!raw && !config && !flags.flag("platforms")) {
    return formatted(flags.text("format"), inspect_with_tags(context, target, name, flags), inspection_value);
  }
  const auto source = open(context, target, name);
  spec::RawManifest top = top_manifest(context, *source);
  if (flags.flag("platforms")) return show_platforms(context, *source, top, flags.text("format"));
  if (!config) return std::move(top.bytes);
  image::Image image = choose(context, *source, top, target.platform);
  return show_config(context, image, flags);
}

void check_flags(const Flags& flags) {
  const std::string format = flags.text("format");
  digest_algorithm(flags);
  if (flags.flag("raw") && !format.empty())
    throw Error(Kind::invalid_input, "raw output does not support format option");
  if (!flags.flag("platforms")) return;
  if (flags.flag("raw") || flags.flag("config") || flags.flag("size")) {
    throw Error(Kind::invalid_input, "--platforms goes with neither --raw, --config nor --size");
  }
  if (!format.empty() && !common::is_json_format(format)) {
    throw Error(Kind::invalid_input, "--platforms knows no format but json");
  }
}

int run_inspect(Invocation& invocation) {
  if (invocation.arguments.size() != 1) invocation.refuse_usage("Exactly one argument expected");
  const std::string& name = invocation.arguments[0];
  check_flags(invocation.flags);
  common::Session session(invocation);
  Target target;
  target.reference = in_context([&] { return fmt::format("Error parsing image name \"{}\"", name); },
                                [&] { return transport::parse_image_name(name); });
  target.options = session.transport_options("", *target.reference);
  target.platform = session.platform();
  common::retry(invocation.context, common::retry_options(invocation.flags),
                [&] { invocation.out.write(show(invocation.context, target, name, invocation.flags)); });
  return 0;
}

}  // namespace

const common::Command inspect_command{
    .name = "inspect",
    .summary = "Inspect image IMAGE-NAME",
    .description = "Return low-level information about \"IMAGE-NAME\" in a registry/transport",
    .synopsis = "[command options] IMAGE-NAME",
    .example =
        "inspect docker://registry.fedoraproject.org/fedora\n"
        "inspect --config docker://docker.io/alpine\n"
        "inspect --platforms docker://docker.io/alpine\n"
        "inspect --format \"Name: {{.Name}} Digest: {{.Digest}}\" docker://registry.access.redhat.com/ubi8",
    .argument = common::ArgumentHint::image,
    .options = inspect_options,
    .run = run_inspect,
    .needs_namespace = names_local_store};

}  // namespace lade::skopeo
