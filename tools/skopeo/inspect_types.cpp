#include "skopeo/inspect_types.hpp"

namespace lade::skopeo {
namespace {

using namespace common::gotemplate;

constexpr GoType structure(std::string_view name, std::span<const GoField> fields) {
  return {Shape::structure, name, nullptr, fields};
}

constexpr GoType digest_type{Shape::string, "digest.Digest"};
constexpr GoType digests_type{Shape::list, "[]digest.Digest", &digest_type};
constexpr GoType size_type{Shape::integer, "int64"};
constexpr GoType set_type{Shape::map, "map[string]struct {}"};

constexpr GoField layer_fields[] = {{"MIMEType", "MIMEType", &string_type},
                                    {"Digest", "Digest", &digest_type},
                                    {"Size", "Size", &size_type},
                                    {"Annotations", "Annotations", &string_map_type}};
constexpr GoType layer_type = structure("types.ImageInspectLayer", layer_fields);
constexpr GoType layers_type{Shape::list, "[]types.ImageInspectLayer", &layer_type};

constexpr GoField output_fields[] = {{"Name", "Name", &string_type},
                                     {"Tag", "Tag", &string_type},
                                     {"Digest", "Digest", &digest_type},
                                     {"RepoTags", "RepoTags", &strings_type},
                                     {"Created", "Created", &time_type},
                                     {"DockerVersion", "DockerVersion", &string_type},
                                     {"Labels", "Labels", &string_map_type},
                                     {"Architecture", "Architecture", &string_type},
                                     {"Os", "Os", &string_type},
                                     {"Layers", "Layers", &strings_type},
                                     {"LayersData", "LayersData", &layers_type},
                                     {"Env", "Env", &strings_type},
                                     {"ArtifactType", "ArtifactType", &string_type},
                                     {"Size", "Size", &size_type}};
constexpr std::size_t fields_of_skopeo = 12;
// Templates are run by a function that ranges over a list of anything, and messages say so.
constexpr GoType output_type = structure("interface {}", std::span(output_fields).first(fields_of_skopeo));
constexpr GoType wide_output_type = structure("interface {}", output_fields);

constexpr GoField platform_fields[] = {{"Architecture", "architecture", &string_type},
                                       {"OS", "os", &string_type},
                                       {"OSVersion", "os.version", &string_type},
                                       {"OSFeatures", "os.features", &strings_type},
                                       {"Variant", "variant", &string_type}};
constexpr GoType platform_type = structure("v1.Platform", platform_fields);

constexpr GoField image_config_fields[] = {{"User", "User", &string_type},
                                           {"ExposedPorts", "ExposedPorts", &set_type},
                                           {"Env", "Env", &strings_type},
                                           {"Entrypoint", "Entrypoint", &strings_type},
                                           {"Cmd", "Cmd", &strings_type},
                                           {"Volumes", "Volumes", &set_type},
                                           {"WorkingDir", "WorkingDir", &string_type},
                                           {"Labels", "Labels", &string_map_type},
                                           {"StopSignal", "StopSignal", &string_type},
                                           {"ArgsEscaped", "ArgsEscaped", &boolean_type}};
constexpr GoType image_config_type = structure("v1.ImageConfig", image_config_fields);

constexpr GoField rootfs_fields[] = {{"Type", "type", &string_type}, {"DiffIDs", "diff_ids", &digests_type}};
constexpr GoType rootfs_type = structure("v1.RootFS", rootfs_fields);

constexpr GoField history_fields[] = {{"Created", "created", &time_type},
                                      {"CreatedBy", "created_by", &string_type},
                                      {"Author", "author", &string_type},
                                      {"Comment", "comment", &string_type},
                                      {"EmptyLayer", "empty_layer", &boolean_type}};
constexpr GoType history_type = structure("v1.History", history_fields);
constexpr GoType histories_type{Shape::list, "[]v1.History", &history_type};

constexpr GoField image_fields[] = {
    {"Created", "created", &time_type}, {"Author", "author", &string_type},
    {"Platform", "", &platform_type},   {"Config", "config", &image_config_type},
    {"RootFS", "rootfs", &rootfs_type}, {"History", "history", &histories_type}};
constexpr GoType image_type = structure("interface {}", image_fields);

}  // namespace

Value inspection_value(const spec::Json& document) {
  const bool wide = document.contains("ArtifactType") || document.contains("Size");
  return Value(document, wide ? wide_output_type : output_type);
}

Value config_value(const spec::Json& document) {
  return Value(document, image_type);
}

}  // namespace lade::skopeo
