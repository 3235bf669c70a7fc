#include "buildah/inspect_types.hpp"

namespace lade::buildah {
namespace {

using namespace common::gotemplate;

constexpr GoType record(std::string_view name, std::span<const GoField> fields) {
  return {Shape::structure, name, nullptr, fields};
}

constexpr GoType any_set_type{Shape::map, "map[string]struct {}"};
constexpr GoType diff_id_type{Shape::string, "digest.Digest"};
constexpr GoType diff_ids_type{Shape::list, "[]digest.Digest", &diff_id_type};

constexpr GoField oci_config_fields[] = {{"User", "User", &string_type},
                                         {"ExposedPorts", "ExposedPorts", &any_set_type},
                                         {"Env", "Env", &strings_type},
                                         {"Entrypoint", "Entrypoint", &strings_type},
                                         {"Cmd", "Cmd", &strings_type},
                                         {"Volumes", "Volumes", &any_set_type},
                                         {"WorkingDir", "WorkingDir", &string_type},
                                         {"Labels", "Labels", &string_map_type},
                                         {"StopSignal", "StopSignal", &string_type},
                                         {"ArgsEscaped", "ArgsEscaped", &boolean_type}};
constexpr GoType oci_config_type = record("v1.ImageConfig", oci_config_fields);
constexpr GoField layers_fields[] = {{"Type", "type", &string_type}, {"DiffIDs", "diff_ids", &diff_ids_type}};
constexpr GoType layers_type = record("v1.RootFS", layers_fields);
constexpr GoField event_fields[] = {{"Created", "created", &time_type},
                                    {"CreatedBy", "created_by", &string_type},
                                    {"Author", "author", &string_type},
                                    {"Comment", "comment", &string_type},
                                    {"EmptyLayer", "empty_layer", &boolean_type}};
constexpr GoType event_type = record("v1.History", event_fields);
constexpr GoType events_type{Shape::list, "[]v1.History", &event_type};
constexpr GoField oci_fields[] = {{"Created", "created", &time_type},
                                  {"Author", "author", &string_type},
                                  {"Architecture", "architecture", &string_type},
                                  {"OS", "os", &string_type},
                                  {"OSVersion", "os.version", &string_type},
                                  {"OSFeatures", "os.features", &strings_type},
                                  {"Variant", "variant", &string_type},
                                  {"Config", "config", &oci_config_type},
                                  {"RootFS", "rootfs", &layers_type},
                                  {"History", "history", &events_type}};
constexpr GoType oci_type = record("v1.Image", oci_fields);

constexpr GoField health_fields[] = {{"Test", "Test", &strings_type},
                                     {"StartPeriod", "StartPeriod", &integer_type},
                                     {"StartInterval", "StartInterval", &integer_type},
                                     {"Interval", "Interval", &integer_type},
                                     {"Timeout", "Timeout", &integer_type},
                                     {"Retries", "Retries", &integer_type}};
constexpr GoType health_type = record("*docker.HealthConfig", health_fields);
constexpr GoField docker_config_fields[] = {{"Hostname", "Hostname", &string_type},
                                            {"Domainname", "Domainname", &string_type},
                                            {"User", "User", &string_type},
                                            {"AttachStdin", "AttachStdin", &boolean_type},
                                            {"AttachStdout", "AttachStdout", &boolean_type},
                                            {"AttachStderr", "AttachStderr", &boolean_type},
                                            {"ExposedPorts", "ExposedPorts", &any_set_type},
                                            {"Tty", "Tty", &boolean_type},
                                            {"OpenStdin", "OpenStdin", &boolean_type},
                                            {"StdinOnce", "StdinOnce", &boolean_type},
                                            {"Env", "Env", &strings_type},
                                            {"Cmd", "Cmd", &strings_type},
                                            {"Healthcheck", "Healthcheck", &health_type},
                                            {"ArgsEscaped", "ArgsEscaped", &boolean_type},
                                            {"Image", "Image", &string_type},
                                            {"Volumes", "Volumes", &any_set_type},
                                            {"WorkingDir", "WorkingDir", &string_type},
                                            {"Entrypoint", "Entrypoint", &strings_type},
                                            {"NetworkDisabled", "NetworkDisabled", &boolean_type},
                                            {"MacAddress", "MacAddress", &string_type},
                                            {"OnBuild", "OnBuild", &strings_type},
                                            {"Labels", "Labels", &string_map_type},
                                            {"StopSignal", "StopSignal", &string_type},
                                            {"StopTimeout", "StopTimeout", &any_type},
                                            {"Shell", "Shell", &strings_type}};
constexpr GoType docker_config_type = record("docker.Config", docker_config_fields);
constexpr GoField docker_fields[] = {{"ID", "id", &string_type},
                                     {"Parent", "parent", &string_type},
                                     {"Comment", "comment", &string_type},
                                     {"Created", "created", &time_type},
                                     {"Container", "container", &string_type},
                                     {"ContainerConfig", "container_config", &docker_config_type},
                                     {"DockerVersion", "docker_version", &string_type},
                                     {"Author", "author", &string_type},
                                     {"Config", "config", &docker_config_type},
                                     {"Architecture", "architecture", &string_type},
                                     {"Variant", "variant", &string_type},
                                     {"OS", "os", &string_type},
                                     {"Size", "Size", &integer_type},
                                     {"RootFS", "rootfs", &layers_type},
                                     {"History", "history", &events_type},
                                     {"OSVersion", "os.version", &string_type},
                                     {"OSFeatures", "os.features", &strings_type}};
constexpr GoType docker_type = record("docker.V2Image", docker_fields);

constexpr GoField namespace_fields[] = {
    {"Name", "Name", &string_type}, {"Host", "Host", &boolean_type}, {"Path", "Path", &string_type}};
constexpr GoType namespace_type = record("define.NamespaceOption", namespace_fields);
constexpr GoType namespaces_type{Shape::list, "define.NamespaceOptions", &namespace_type};

constexpr GoField builder_fields[] = {{"Type", "Type", &string_type},
                                      {"FromImage", "FromImage", &string_type},
                                      {"FromImageID", "FromImageID", &string_type},
                                      {"FromImageDigest", "FromImageDigest", &string_type},
                                      {"GroupAdd", "GroupAdd", &strings_type},
                                      {"Config", "Config", &string_type},
                                      {"Manifest", "Manifest", &string_type},
                                      {"Container", "Container", &string_type},
                                      {"ContainerID", "ContainerID", &string_type},
                                      {"MountPoint", "MountPoint", &string_type},
                                      {"ProcessLabel", "ProcessLabel", &string_type},
                                      {"MountLabel", "MountLabel", &string_type},
                                      {"ImageAnnotations", "ImageAnnotations", &string_map_type},
                                      {"ImageCreatedBy", "ImageCreatedBy", &string_type},
                                      {"OCIv1", "OCIv1", &oci_type},
                                      {"Docker", "Docker", &docker_type},
                                      {"DefaultMountsFilePath", "DefaultMountsFilePath", &string_type},
                                      {"Isolation", "Isolation", &string_type},
                                      {"NamespaceOptions", "NamespaceOptions", &namespaces_type},
                                      {"Capabilities", "Capabilities", &strings_type},
                                      {"ConfigureNetwork", "ConfigureNetwork", &string_type},
                                      {"CNIPluginPath", "CNIPluginPath", &string_type},
                                      {"CNIConfigDir", "CNIConfigDir", &string_type},
                                      {"IDMappingOptions", "IDMappingOptions", &any_type},
                                      {"History", "History", &events_type},
                                      {"Devices", "Devices", &any_type},
                                      {"DeviceSpecs", "DeviceSpecs", &strings_type},
                                      {"CDIConfigDir", "CDIConfigDir", &string_type}};
constexpr GoType builder_type = record("buildah.BuilderInfo", builder_fields);

}  // namespace

Value builder_value(const spec::Json& document) {
  return Value(document, builder_type);
}

}  // namespace lade::buildah
