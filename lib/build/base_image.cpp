#include "build/base_image.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "image/image.hpp"
#include "spec/image_config.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"
#include "store/ids.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"
#include "transport/transports.hpp"

namespace lade::build {

using spec::Json;

namespace {

void put_if(Json& target, const Json& source, const char* name) {
  const Json* value = spec::find_member(source, name);
  if (value == nullptr) return;
  const bool is_empty = (value->is_string() && value->get_ref<const std::string&>().empty()) ||
                        ((value->is_array() || value->is_object()) && value->empty()) ||
                        (value->is_boolean() && !value->get<bool>()) || (value->is_number() && *value == 0);
  if (!is_empty) target[name] = *value;
}

void put_text_always(Json& target, const Json& source, const char* name) {
  target[name] = spec::string_member(source, name, "the image configuration");
}

void put_flag_always(Json& target, const Json& source, const char* name) {
  target[name] = spec::bool_member(source, name, "the image configuration");
}

void put_always(Json& target, const Json& source, const char* name) {
  const Json* value = spec::find_member(source, name);
  target[name] = value == nullptr ? Json(nullptr) : *value;
}

// Go writes maps sorted.
void put_sorted(Json& target, const Json& source, const char* name, bool always) {
  const Json* value = spec::find_member(source, name);
  std::map<std::string, Json> sorted;
  if (value != nullptr && value->is_object())
    for (const auto& [key, element] : value->items()) sorted[key] = element;
  if (!sorted.empty())
    target[name] = sorted;
  else if (always)
    target[name] = nullptr;
}

// docker.Config of buildah.
Json docker_execution(const Json& source) {
  Json target = Json::object();
  for (const char* name : {"Hostname", "Domainname", "User"}) put_text_always(target, source, name);
  for (const char* name : {"AttachStdin", "AttachStdout", "AttachStderr"})
    put_flag_always(target, source, name);
  put_sorted(target, source, "ExposedPorts", false);
  for (const char* name : {"Tty", "OpenStdin", "StdinOnce"}) put_flag_always(target, source, name);
  put_always(target, source, "Env");
  put_always(target, source, "Cmd");
  put_if(target, source, "Healthcheck");
  put_if(target, source, "ArgsEscaped");
  put_text_always(target, source, "Image");
  put_sorted(target, source, "Volumes", true);
  put_text_always(target, source, "WorkingDir");
  put_always(target, source, "Entrypoint");
  put_if(target, source, "NetworkDisabled");
  put_if(target, source, "MacAddress");
  put_always(target, source, "OnBuild");
  put_sorted(target, source, "Labels", true);
  for (const char* name : {"StopSignal", "StopTimeout", "Shell"}) put_if(target, source, name);
  return target;
}

Json docker_history(const Json& entry) {
  Json target = {{"created", spec::time_or_zero(spec::string_member(entry, "created", "history"))}};
  for (const char* name : {"author", "created_by", "comment", "empty_layer"}) put_if(target, entry, name);
  return target;
}

// What containerd calls an architecture that has several names.
std::pair<std::string, std::string> usual_architecture(const std::string& name, const std::string& variant) {
  if (name == "x86_64" || name == "x86-64") return {"amd64", variant};
  if (name == "i386" || name == "i686") return {"386", variant};
  if (name == "aarch64") return {"arm64", variant == "v8" || variant == "8" ? "" : variant};
  if (name == "armhf") return {"arm", "v7"};
  if (name == "armel") return {"arm", "v6"};
  return {name, variant};
}

const Json& member_object(const Json& parent, std::string_view name) {
  static const Json empty = Json::object();
  const Json* value = spec::find_member(parent, name);
  return value != nullptr && value->is_object() ? *value : empty;
}

}  // namespace

BaseImage read_base_image(const Context& context, store::Store& store, const std::string& image_id,
                          const spec::PlatformChoice& platform) {
  const auto record = store.find_image(context, image_id);
  if (!record) throw Error(Kind::image_not_found, image_id + ": image not known");
  transport::Options options;
  options.store = store.options();
  const auto reference = transport::parse_image_name("containers-storage:@" + record->id);
  const auto source = reference->open_source(context, options);
  auto top = source->manifest(context, std::nullopt);
  BaseImage result;
  result.id = record->id;
  if (!record->names.empty()) result.name = record->names.front();
  result.top_layer = record->layer;
  result.digest = top.digest.str();
  if (spec::is_list(top.media_type)) top = image::choose_instance(context, *source, std::move(top), platform);
  image::Image view(*source, std::move(top));
  result.manifest = view.raw().bytes;
  result.media_type = view.raw().media_type;
  result.config = view.config_bytes(context);
  if (result.config.empty())
    throw Error(Kind::unsupported,
                "image " + record->id + " has a manifest of schema 1: it has no configuration");
  return result;
}

void take_settings(const Context& context, Builder& builder, const std::optional<BaseImage>& image,
                   const spec::PlatformChoice& platform) {
  auto settings = builder.settings();
  if (image) {
    builder.set_bytes("config", image->config);
    builder.set_bytes("manifest", image->manifest);
    const auto config = spec::ImageConfig::parse(image->config);
    settings.oci() = config.oci_document();
    settings.docker() = config.document;
    if (image->media_type == spec::media_type::oci_manifest) {
      const auto manifest = spec::Manifest::parse(image->manifest, image->media_type);
      for (const auto& [name, value] : manifest.annotations()) settings.set_annotation(name, value);
    }
  } else {
    settings.set_text("WorkingDir", "/");
  }
  const auto host = spec::host_platform();
  const auto [architecture, variant] = platform.architecture.empty()
                                           ? std::pair(host.architecture, host.variant)
                                           : usual_architecture(platform.architecture, platform.variant);
  settings.fill_in(store::format_time(context.clock.now()), platform.os.empty() ? host.os : platform.os,
                   architecture, variant);
}

Json docker_image_document(const Json& docker) {
  Json target = Json::object();
  for (const char* name : {"id", "comment"}) put_if(target, docker, name);
  target["created"] = spec::time_or_zero(spec::string_member(docker, "created", "the image configuration"));
  put_if(target, docker, "container");
  const Json execution = docker_execution(member_object(docker, "config"));
  target["container_config"] = execution;
  for (const char* name : {"docker_version", "author"}) put_if(target, docker, name);
  target["config"] = execution;
  for (const char* name : {"architecture", "variant", "os", "Size", "parent"}) put_if(target, docker, name);
  const Json& rootfs = member_object(docker, "rootfs");
  if (!rootfs.empty()) target["rootfs"] = rootfs;
  Json history = Json::array();
  for (const Json& entry : spec::array_member(docker, "history", "the image configuration"))
    history.push_back(docker_history(entry));
  if (!history.empty()) target["history"] = std::move(history);
  for (const char* name : {"os.version", "os.features"}) put_if(target, docker, name);
  return target;
}

Json oci_image_document(const Json& oci) {
  Json copy = oci;
  // Of a container from scratch there is none before its commit.
  if (spec::find_member(copy, "rootfs") == nullptr)
    copy["rootfs"] = Json{{"type", ""}, {"diff_ids", Json::array()}};
  return spec::ImageConfig::parse(spec::dump_json(copy)).oci_document();
}

}  // namespace lade::build
