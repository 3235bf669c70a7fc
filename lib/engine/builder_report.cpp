#include "engine/builder_report.hpp"

#include <fmt/format.h>

#include "engine/image_report.hpp"
#include "spec/time.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::engine {
namespace {

using spec::Json;

constexpr const char* builder_type = "buildah 0.0.1";

// Copies a member; what Go's struct always has is there as `missing` otherwise.
void copy_member(Json& to, const Json& from, const char* name, const Json& missing) {
  const Json* value = spec::find_member(from, name);
  to[name] = value == nullptr ? missing : *value;
}

void copy_if_there(Json& to, const Json& from, const char* name) {
  const Json* value = spec::find_member(from, name);
  const bool empty = value == nullptr || (value->is_string() && value->get_ref<const std::string&>().empty()) ||
                     (value->is_structured() && value->empty()) || *value == Json(false) || *value == Json(0);
  if (!empty) to[name] = *value;
}

Json docker_execution(const Json& source) {
  Json json = Json::object();
  copy_member(json, source, "Hostname", "");
  copy_member(json, source, "Domainname", "");
  copy_member(json, source, "User", "");
  for (const char* name : {"AttachStdin", "AttachStdout", "AttachStderr"}) copy_member(json, source, name, false);
  copy_if_there(json, source, "ExposedPorts");
  for (const char* name : {"Tty", "OpenStdin", "StdinOnce"}) copy_member(json, source, name, false);
  copy_member(json, source, "Env", nullptr);
  copy_member(json, source, "Cmd", nullptr);
  copy_if_there(json, source, "Healthcheck");
  copy_if_there(json, source, "ArgsEscaped");
  copy_member(json, source, "Image", "");
  copy_member(json, source, "Volumes", nullptr);
  copy_member(json, source, "WorkingDir", "");
  copy_member(json, source, "Entrypoint", nullptr);
  copy_if_there(json, source, "NetworkDisabled");
  copy_if_there(json, source, "MacAddress");
  copy_member(json, source, "OnBuild", nullptr);
  copy_member(json, source, "Labels", nullptr);
  copy_if_there(json, source, "StopSignal");
  copy_if_there(json, source, "StopTimeout");
  copy_if_there(json, source, "Shell");
  return json;
}

Json docker_history(const Json& entry) {
  Json json = Json::object();
  json["created"] = spec::time_or_zero(spec::string_member(entry, "created", "history"));
  for (const char* name : {"author", "created_by", "comment", "empty_layer"}) copy_if_there(json, entry, name);
  return json;
}

const Json& member_or_empty(const Json& document, const char* name) {
  static const Json empty = Json::object();
  const Json* value = spec::find_member(document, name);
  return value == nullptr || !value->is_object() ? empty : *value;
}

Json namespaces() {
  Json list = Json::array();
  for (const char* name : {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"}) {
    const bool host = std::string_view(name) == "cgroup" || std::string_view(name) == "user";
    list.push_back({{"Name", name}, {"Host", host}, {"Path", ""}});
  }
  return list;
}

// Go never leaves a structure out.
Json with_config(const Json& oci) {
  Json json = Json::object();
  for (const auto& [name, value] : oci.items()) {
    if (name == "rootfs" && !json.contains("config")) json["config"] = Json::object();
    json[name] = value;
  }
  return json;
}

Json id_mapping() {
  Json automatic = {{"Size", 0},         {"InitialSize", 0},
                    {"PasswdFile", ""},  {"GroupFile", ""},
                    {"AdditionalUIDMappings", nullptr}, {"AdditionalGIDMappings", nullptr}};
  return {{"HostUIDMapping", true},  {"HostGIDMapping", true},
          {"UIDMap", Json::array()}, {"GIDMap", Json::array()},
          {"AutoUserNs", false},     {"AutoUserNsOpts", std::move(automatic)}};
}

}  // namespace

Json docker_image_document(const spec::ImageConfig& config) {
  const Json& source = config.document;
  Json json = Json::object();
  for (const char* name : {"id", "parent", "comment"}) copy_if_there(json, source, name);
  json["created"] = spec::time_or_zero(config.created);
  copy_if_there(json, source, "container");
  const Json execution = docker_execution(member_or_empty(source, "config"));
  json["container_config"] = execution;
  copy_if_there(json, source, "author");
  json["config"] = execution;
  for (const char* name : {"architecture", "variant", "os"}) copy_if_there(json, source, name);
  Json diff_ids = Json::array();
  for (const auto& id : config.diff_ids) diff_ids.push_back(id.digest.str());
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids.empty() ? Json(nullptr) : std::move(diff_ids)}};
  Json& history = json["history"] = Json::array();
  for (const Json& entry : spec::array_member(source, "history", "image configuration"))
    history.push_back(docker_history(entry));
  if (history.empty()) history = nullptr;
  for (const char* name : {"os.version", "os.features"}) copy_if_there(json, source, name);
  return json;
}

Json builder_of_image(const LocalImages& images, const store::ImageRecord& image) {
  const spec::ImageConfig* config = images.config(image);
  if (config == nullptr)
    throw Error(Kind::invalid_input, fmt::format("image {} has no configuration", image.id));
  const auto raw = transport::make_raw_manifest(images.manifest(image), "");
  const auto parsed = spec::Manifest::parse(raw.bytes, raw.media_type);
  const Json oci = config->oci_document();
  const Json* history = spec::find_member(oci, "history");
  Json json = Json::object();
  json["Type"] = builder_type;
  json["FromImage"] = image.names.empty() ? image.id : image.names.front();
  json["FromImageID"] = image.id;
  json["FromImageDigest"] = raw.digest.str();
  json["GroupAdd"] = nullptr;
  json["Config"] = images.store().image_big_data(images.context(), image.id, parsed.config().digest.str());
  json["Manifest"] = raw.bytes;
  for (const char* name : {"Container", "ContainerID", "MountPoint", "ProcessLabel", "MountLabel"}) json[name] = "";
  const Json annotations = image_annotations(raw);
  json["ImageAnnotations"] = annotations.empty() ? Json(nullptr) : annotations;
  json["ImageCreatedBy"] = "";
  json["OCIv1"] = with_config(oci);
  json["Docker"] = docker_image_document(*config);
  json["DefaultMountsFilePath"] = "";
  json["Isolation"] = "oci";
  json["NamespaceOptions"] = namespaces();
  json["Capabilities"] = nullptr;
  json["ConfigureNetwork"] = "NetworkDefault";
  json["CNIPluginPath"] = "";
  json["CNIConfigDir"] = "";
  json["IDMappingOptions"] = id_mapping();
  json["History"] = history == nullptr ? Json::array() : *history;
  json["Devices"] = nullptr;
  json["DeviceSpecs"] = nullptr;
  json["CDIConfigDir"] = "";
  return json;
}

}  // namespace lade::engine
