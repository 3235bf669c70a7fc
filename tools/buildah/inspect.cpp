#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "build/base_image.hpp"
#include "buildah/commands.hpp"
#include "buildah/working.hpp"
#include "common/go_text.hpp"
#include "common/template/evaluate.hpp"
#include "engines/manifest.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;
using common::gotemplate::GoField;
using common::gotemplate::GoType;
using common::gotemplate::Shape;
using spec::Json;
namespace go = common::gotemplate;

// buildah.BuilderInfo and what it holds, as Go declares them.
constexpr GoType empty_type{Shape::structure, "struct {}"};
constexpr GoType set_type{Shape::map, "map[string]struct {}", &empty_type};
constexpr GoType digests_type{Shape::list, "[]digest.Digest", &go::string_type};

constexpr GoField oci_config_fields[] = {
    {"User", "User", &go::string_type},
    {"ExposedPorts", "ExposedPorts", &set_type},
    {"Env", "Env", &go::strings_type},
    {"Entrypoint", "Entrypoint", &go::strings_type},
    {"Cmd", "Cmd", &go::strings_type},
    {"Volumes", "Volumes", &set_type},
    {"WorkingDir", "WorkingDir", &go::string_type},
    {"Labels", "Labels", &go::string_map_type},
    {"StopSignal", "StopSignal", &go::string_type},
    {"ArgsEscaped", "ArgsEscaped", &go::boolean_type},
};
constexpr GoType oci_config_type{Shape::structure, "v1.ImageConfig", nullptr, oci_config_fields};
constexpr GoField oci_rootfs_fields[] = {{"Type", "type", &go::string_type},
                                         {"DiffIDs", "diff_ids", &digests_type}};
constexpr GoType oci_rootfs_type{Shape::structure, "v1.RootFS", nullptr, oci_rootfs_fields};
constexpr GoField oci_history_fields[] = {
    {"Created", "created", &go::time_type},           {"CreatedBy", "created_by", &go::string_type},
    {"Author", "author", &go::string_type},           {"Comment", "comment", &go::string_type},
    {"EmptyLayer", "empty_layer", &go::boolean_type},
};
constexpr GoType oci_event_type{Shape::structure, "v1.History", nullptr, oci_history_fields};
constexpr GoType oci_history_type{Shape::list, "[]v1.History", &oci_event_type};
constexpr GoField oci_image_fields[] = {
    {"Created", "created", &go::time_type},
    {"Author", "author", &go::string_type},
    {"Architecture", "architecture", &go::string_type},
    {"OS", "os", &go::string_type},
    {"OSVersion", "os.version", &go::string_type},
    {"OSFeatures", "os.features", &go::strings_type},
    {"Variant", "variant", &go::string_type},
    {"Config", "config", &oci_config_type},
    {"RootFS", "rootfs", &oci_rootfs_type},
    {"History", "history", &oci_history_type},
};
constexpr GoType oci_image_type{Shape::structure, "v1.Image", nullptr, oci_image_fields};

constexpr GoField health_fields[] = {
    {"Test", "Test", &go::strings_type},
    {"Interval", "Interval", &go::string_type},
    {"Timeout", "Timeout", &go::string_type},
    {"StartPeriod", "StartPeriod", &go::string_type},
    {"StartInterval", "StartInterval", &go::string_type},
    {"Retries", "Retries", &go::integer_type},
};
constexpr GoType health_type{Shape::structure, "*docker.HealthConfig", nullptr, health_fields};
constexpr GoField docker_config_fields[] = {
    {"Hostname", "Hostname", &go::string_type},
    {"Domainname", "Domainname", &go::string_type},
    {"User", "User", &go::string_type},
    {"AttachStdin", "AttachStdin", &go::boolean_type},
    {"AttachStdout", "AttachStdout", &go::boolean_type},
    {"AttachStderr", "AttachStderr", &go::boolean_type},
    {"ExposedPorts", "ExposedPorts", &set_type},
    {"Tty", "Tty", &go::boolean_type},
    {"OpenStdin", "OpenStdin", &go::boolean_type},
    {"StdinOnce", "StdinOnce", &go::boolean_type},
    {"Env", "Env", &go::strings_type},
    {"Cmd", "Cmd", &go::strings_type},
    {"Healthcheck", "Healthcheck", &health_type},
    {"ArgsEscaped", "ArgsEscaped", &go::boolean_type},
    {"Image", "Image", &go::string_type},
    {"Volumes", "Volumes", &set_type},
    {"WorkingDir", "WorkingDir", &go::string_type},
    {"Entrypoint", "Entrypoint", &go::strings_type},
    {"NetworkDisabled", "NetworkDisabled", &go::boolean_type},
    {"MacAddress", "MacAddress", &go::string_type},
    {"OnBuild", "OnBuild", &go::strings_type},
    {"Labels", "Labels", &go::string_map_type},
    {"StopSignal", "StopSignal", &go::string_type},
    {"Shell", "Shell", &go::strings_type},
};
constexpr GoType docker_config_type{Shape::structure, "docker.Config", nullptr, docker_config_fields};
constexpr GoField docker_image_fields[] = {
    {"ID", "id", &go::string_type},
    {"Parent", "parent", &go::string_type},
    {"Comment", "comment", &go::string_type},
    {"Created", "created", &go::time_type},
    {"Container", "container", &go::string_type},
    {"ContainerConfig", "container_config", &docker_config_type},
    {"DockerVersion", "docker_version", &go::string_type},
    {"Author", "author", &go::string_type},
    {"Config", "config", &docker_config_type},
    {"Architecture", "architecture", &go::string_type},
    {"Variant", "variant", &go::string_type},
    {"OS", "os", &go::string_type},
    {"Size", "Size", &go::integer_type},
    {"RootFS", "rootfs", &oci_rootfs_type},
    {"History", "history", &oci_history_type},
    {"OSVersion", "os.version", &go::string_type},
    {"OSFeatures", "os.features", &go::strings_type},
};
constexpr GoType docker_image_type{Shape::structure, "docker.V2Image", nullptr, docker_image_fields};

constexpr GoField namespace_fields[] = {{"Name", "Name", &go::string_type},
                                        {"Host", "Host", &go::boolean_type},
                                        {"Path", "Path", &go::string_type}};
constexpr GoType namespace_type{Shape::structure, "define.NamespaceOption", nullptr, namespace_fields};
constexpr GoType namespaces_type{Shape::list, "define.NamespaceOptions", &namespace_type};

constexpr GoField info_fields[] = {
    {"Type", "Type", &go::string_type},
    {"FromImage", "FromImage", &go::string_type},
    {"FromImageID", "FromImageID", &go::string_type},
    {"FromImageDigest", "FromImageDigest", &go::string_type},
    {"GroupAdd", "GroupAdd", &go::strings_type},
    {"Config", "Config", &go::string_type},
    {"Manifest", "Manifest", &go::string_type},
    {"Container", "Container", &go::string_type},
    {"ContainerID", "ContainerID", &go::string_type},
    {"MountPoint", "MountPoint", &go::string_type},
    {"ProcessLabel", "ProcessLabel", &go::string_type},
    {"MountLabel", "MountLabel", &go::string_type},
    {"ImageAnnotations", "ImageAnnotations", &go::string_map_type},
    {"ImageCreatedBy", "ImageCreatedBy", &go::string_type},
    {"OCIv1", "OCIv1", &oci_image_type},
    {"Docker", "Docker", &docker_image_type},
    {"DefaultMountsFilePath", "DefaultMountsFilePath", &go::string_type},
    {"Isolation", "Isolation", &go::string_type},
    {"NamespaceOptions", "NamespaceOptions", &namespaces_type},
    {"Capabilities", "Capabilities", &go::strings_type},
    {"ConfigureNetwork", "ConfigureNetwork", &go::string_type},
    {"CNIPluginPath", "CNIPluginPath", &go::string_type},
    {"CNIConfigDir", "CNIConfigDir", &go::string_type},
    {"IDMappingOptions", "IDMappingOptions", &go::any_type},
    {"History", "History", &oci_history_type},
    {"Devices", "Devices", &go::any_type},
    {"DeviceSpecs", "DeviceSpecs", &go::strings_type},
    {"CDIConfigDir", "CDIConfigDir", &go::string_type},
};
constexpr GoType info_type{Shape::structure, "buildah.BuilderInfo", nullptr, info_fields};

std::vector<Option> inspect_options() {
  return {{.name = "format",
           .short_name = 'f',
           .kind = ValueKind::text,
           .help = "use format as a Go template to format the output"},
          {.name = "type",
           .short_name = 't',
           .kind = ValueKind::text,
           .help = "look at the item of the specified type (container, image or manifest) and name (default "
                   "container)",
           .choices = {"container", "image", "manifest"}}};
}

// A null where Go has an empty value of its own.
Json member_or_null(const Json& document, const char* name) {
  const Json* value = spec::find_member(document, name);
  return value == nullptr ? Json(nullptr) : *value;
}

Json all_history(const Json& oci, const Json& state) {
  Json result = Json::array();
  for (const auto& [document, name] : {std::pair(&oci, "history"), std::pair(&state, "PrependedEmptyLayers"),
                                       std::pair(&state, "AppendedEmptyLayers")})
    for (const Json& entry : spec::array_member(*document, name, "history")) result.push_back(entry);
  return result.empty() ? Json(nullptr) : result;
}

std::string network_word(const Json& state) {
  const Json* value = spec::find_member(state, "ConfigureNetwork");
  const auto number = value != nullptr && value->is_number_integer() ? value->get<int>() : 0;
  return number == 1 ? "NetworkDisabled" : number == 2 ? "NetworkEnabled" : "NetworkDefault";
}

Json builder_info(build::Builder& builder) {
  auto settings = builder.settings();
  const Json& state = builder.document();
  const Json oci = build::oci_image_document(settings.oci());
  auto capabilities = builder.texts("Capabilities");
  std::ranges::sort(capabilities);
  Json info = Json::object();
  info["Type"] = builder.text("type");
  info["FromImage"] = builder.image_name();
  info["FromImageID"] = builder.image_id();
  info["FromImageDigest"] = builder.text("image-digest");
  info["GroupAdd"] = member_or_null(state, "GroupAdd");
  info["Config"] = builder.config_bytes();
  info["Manifest"] = builder.manifest_bytes();
  info["Container"] = builder.name();
  info["ContainerID"] = builder.id();
  info["MountPoint"] = builder.mount_point();
  info["ProcessLabel"] = builder.process_label();
  info["MountLabel"] = builder.mount_label();
  const auto annotations = settings.annotations();
  info["ImageAnnotations"] = annotations.empty() ? Json(nullptr) : Json(annotations);
  info["ImageCreatedBy"] = builder.text("created-by");
  info["OCIv1"] = oci;
  info["Docker"] = build::docker_image_document(settings.docker());
  info["DefaultMountsFilePath"] = builder.text("defaultMountsFilePath");
  info["Isolation"] = build::to_string(builder.isolation());
  info["NamespaceOptions"] = member_or_null(state, "NamespaceOptions");
  info["Capabilities"] = capabilities.empty() ? Json(nullptr) : Json(capabilities);
  info["ConfigureNetwork"] = network_word(state);
  info["CNIPluginPath"] = builder.text("CNIPluginPath");
  info["CNIConfigDir"] = builder.text("CNIConfigDir");
  info["IDMappingOptions"] = member_or_null(state, "IDMappingOptions");
  info["History"] = all_history(oci, state);
  info["Devices"] = member_or_null(state, "Devices");
  info["DeviceSpecs"] = member_or_null(state, "DeviceSpecs");
  info["CDIConfigDir"] = builder.text("CDIConfigDir");
  return info;
}

// Templates show durations as Go does: "5s".
Json with_shown_durations(Json info) {
  Json& docker = info["Docker"];
  for (const char* config : {"config", "container_config"}) {
    if (!docker.contains(config) || !docker[config].contains("Healthcheck")) continue;
    Json& check = docker[config]["Healthcheck"];
    for (const char* name : {"Interval", "Timeout", "StartPeriod", "StartInterval"}) {
      const auto count = check.contains(name) ? check[name].get<std::int64_t>() : 0;
      check[name] = common::format_duration(std::chrono::nanoseconds(count));
    }
  }
  return info;
}

// As a container would be that is made of it.
build::Builder imagined(WorkSession& session, const std::string& name) {
  const auto images = session.images();
  const auto found = in_context("importing settings", [&] { return images.get(name); });
  const auto image = build::read_base_image(session.context(), *session.store(), found.image->id);
  build::Builder builder = build::Builder::make("", "");
  builder.set_namespaces(build::usual_namespaces());
  builder.set_text("image", image.name);
  builder.set_text("image-id", image.id);
  builder.set_text("image-digest", image.digest);
  build::take_settings(session.context(), builder, image, {});
  return builder;
}

build::Builder wanted_object(WorkSession& session, const std::string& name) {
  const auto& flags = session.invocation().flags;
  const std::string type = flags.find_text("type").value_or("container");
  if (type == "image") return imagined(session, name);
  if (type != "container")
    throw Error(Kind::invalid_input, "the only recognized types are \"container\" and \"image\"");
  if (flags.given("type"))
    return in_context("reading build container", [&] { return session.builders().open(name); });
  if (auto builder = session.builders().find(name)) return *std::move(builder);
  return imagined(session, name);
}

bool names_list(WorkSession& session, const std::string& name) {
  const auto type = session.invocation().flags.find_text("type");
  if (type) return *type == "manifest";
  if (session.builders().find(name)) return false;
  const auto images = session.images();
  const auto found = images.find_image(name);
  return found && images.is_list(*found->image);
}

int run_inspect(Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "container or image name must be specified");
  engines::require_flags_first(invocation);
  if (arguments.size() > 1) throw Error(Kind::invalid_input, "too many arguments specified");
  WorkSession session(invocation);
  if (names_list(session, arguments[0]))
    return engines::print_list(session, arguments[0], engines::Grammar::buildah);
  build::Builder builder = wanted_object(session, arguments[0]);
  const Json info = builder_info(builder);
  const std::string format = invocation.flags.text("format");
  if (format.empty()) {
    invocation.out.line(spec::dump_json(info, 4));
    return 0;
  }
  if (format.find("{{") == std::string::npos || format.find("}}") == std::string::npos)
    throw Error(Kind::invalid_input, "invalid format provided: " + format);
  invocation.out.write(go::render("inspect", format, go::Value(with_shown_durations(info), info_type),
                                  go::MissingKeys::no_value));
  if (invocation.out.is_terminal()) invocation.out.write("\n");
  return 0;
}

}  // namespace

const common::Command inspect_command{
    .name = "inspect",
    .summary = "Inspect the configuration of a container or image",
    .description = "Inspects a build container's or built image's configuration.",
    .synopsis = "[flags] CONTAINER|IMAGE",
    .example =
        "inspect containerID\ninspect --type image imageWithTag\n"
        "inspect --format '{{.OCIv1.Config.Env}}' alpine",
    .argument = common::ArgumentHint::image,
    .options = inspect_options,
    .run = run_inspect,
    .runs_program = true};

}  // namespace lade::buildah
