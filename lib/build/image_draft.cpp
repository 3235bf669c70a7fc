#include "build/image_draft.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "build/base_image.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"

namespace lade::build {

using spec::Json;
namespace media = spec::media_type;

namespace {

constexpr const char* created_annotation_name = "org.opencontainers.image.created";

std::string draft_text(const Json& object, std::string_view member) {
  return spec::string_member(object, member, "the configuration");
}

// "NAME=value": later ones take the place of earlier ones of the same name.
Json merged_env(const Json* old, const Json& added) {
  std::vector<std::string> result;
  const auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  const auto put = [&](const std::string& entry) {
    const auto same =
        std::ranges::find_if(result, [&](const std::string& e) { return name_of(e) == name_of(entry); });
    if (same == result.end())
      result.push_back(entry);
    else
      *same = entry;
  };
  for (const Json* list : {old, &added})
    if (list != nullptr && list->is_array())
      for (const Json& entry : *list)
        if (entry.is_string()) put(entry.get<std::string>());
  return result;
}

void put_text(Json& target, const Json& source, const char* name) {
  if (const auto value = draft_text(source, name); !value.empty()) target[name] = value;
}

void merge_map(Json& target, const Json& source, const char* name) {
  const Json* added = spec::find_member(source, name);
  if (added == nullptr || !added->is_object() || added->empty()) return;
  Json& map = target[name];
  if (!map.is_object()) map = Json::object();
  for (const auto& [key, value] : added->items()) map[key] = value;
}

bool has_elements(const Json& object, const char* name) {
  const Json* value = spec::find_member(object, name);
  return value != nullptr && value->is_array() && !value->empty();
}

Json history_entry(const std::string& created, const std::string& created_by, const std::string& author,
                   const std::string& comment) {
  Json entry = {{"created", created}};
  if (!author.empty()) entry["author"] = author;
  if (!created_by.empty()) entry["created_by"] = created_by;
  if (!comment.empty()) entry["comment"] = comment;
  return entry;
}

std::string layer_type(bool docker, bool gzip) {
  if (docker) return std::string(gzip ? media::docker_layer_gzip : media::docker_layer_tar);
  return std::string(gzip ? media::oci_layer_gzip : media::oci_layer_tar);
}

}  // namespace

ImageDraft::ImageDraft(Builder builder, const ImageOptions& options, const std::string& now)
    : builder_(std::move(builder)), options_(options), created_(now) {
  if (const auto fixed = options_.fixed_time()) created_ = spec::format_time(*fixed);
  auto settings = builder_.settings();
  for (const auto& name : options_.unset_env) settings.unset_env(name);
  image_ = options_.docker_format ? settings.docker() : settings.oci();
  image_["created"] = created_;
  image_["rootfs"] = Json{{"type", "layers"}, {"diff_ids", Json::array()}};
  if (!image_["config"].is_object()) image_["config"] = Json::object();
  if (options_.docker_format) {
    image_["container"] = options_.fixed_time() ? "" : builder_.id();
    if (options_.fixed_time()) {
      // New members of the image move the others.
      Json& config = image_["config"];
      config["Hostname"] = "sandbox";
      config["Domainname"] = "";
    }
    // What it was built on is in the manifest's layers and the history.
    image_.erase("parent");
  }
  if (options_.squash || options_.omit_history) image_["history"] = Json::array();
  if (options_.config.is_object()) apply_config(options_.config);
}

void ImageDraft::apply_config(const Json& given) {
  Json& config = image_["config"];
  for (const char* name : {"User", "WorkingDir"}) put_text(config, given, name);
  for (const char* name : {"ExposedPorts", "Volumes", "Labels"}) merge_map(config, given, name);
  if (has_elements(given, "Env")) config["Env"] = merged_env(spec::find_member(config, "Env"), given["Env"]);
  if (has_elements(given, "Entrypoint") || has_elements(given, "Cmd")) {
    // They belong together.
    for (const char* name : {"Entrypoint", "Cmd"}) {
      config.erase(name);
      if (has_elements(given, name)) config[name] = given[name];
    }
  }
  put_text(config, given, "StopSignal");
  if (!options_.docker_format) return;
  for (const char* name : {"Hostname", "Domainname", "Image", "MacAddress"}) put_text(config, given, name);
  for (const char* name :
       {"AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "ArgsEscaped",
        "NetworkDisabled", "Healthcheck", "OnBuild", "StopTimeout", "Shell"})
    if (const Json* value = spec::find_member(given, name)) config[name] = *value;
}

void ImageDraft::add_layer(const Layer& layer) {
  layers_.push_back(layer);
  image_["rootfs"]["diff_ids"].push_back(layer.diff_id.str());
}

void ImageDraft::append_history(Json entry, bool empty) {
  if (options_.fixed_time()) entry["created"] = created_;
  entry.erase("empty_layer");
  if (empty) entry["empty_layer"] = true;
  Json& history = image_["history"];
  if (!history.is_array()) history = Json::array();
  history.push_back(std::move(entry));
}

// Tells where the history of the base ends.
std::string ImageDraft::base_comment() const {
  const std::string id = builder_.image_id(), name = builder_.image_name();
  return name.empty() || id.starts_with(name) ? "" : "FROM " + name;
}

void ImageDraft::add_history(const std::vector<Event>& before, const std::vector<Event>& after) {
  const Json* inherited = spec::find_member(image_, "history");
  const std::size_t of_base = inherited != nullptr ? inherited->size() : 0;
  const bool base_is_silent = of_base == 0 && !options_.squash && !builder_.image_id().empty() &&
                              layers_.size() > 1 + before.size() + after.size();
  // Entries for some of the layers only would confuse everybody.
  if (options_.omit_history || base_is_silent) return;
  const auto event = [&](const Event& e) {
    append_history(history_entry(e.created.empty() ? created_ : e.created, e.created_by, "", e.comment),
                   false);
  };
  const auto& document = builder_.document();
  for (const Json& entry : spec::array_member(document, "PrependedEmptyLayers", state_file))
    append_history(entry, true);
  for (const auto& e : before) event(e);
  std::string created_by = builder_.text("created-by");
  auto settings = builder_.settings();
  if (created_by.empty()) created_by = fmt::format("{}", fmt::join(settings.list("Shell"), " "));
  if (created_by.empty()) created_by = "/bin/sh";
  append_history(
      history_entry(created_, created_by, draft_text(image_, "author"), builder_.text("history-comment")),
      false);
  for (const Json& entry : spec::array_member(document, "AppendedEmptyLayers", state_file))
    append_history(entry, true);
  for (const auto& e : after) event(e);

  Json& first = image_["history"][of_base];
  if (const std::string from = base_comment(); !from.empty()) {
    std::string comment = draft_text(first, "comment");
    comment.append(comment.empty() ? "" : " ").append(from);
    first["comment"] = comment;
  }
  if (of_base == 0) return;
  const auto with_layer = std::ranges::count_if(image_["history"], [](const Json& entry) {
    return spec::find_member(entry, "empty_layer") == nullptr || entry["empty_layer"] != true;
  });
  if (static_cast<std::size_t>(with_layer) != layers_.size())
    throw Error(Kind::invalid_input,
                fmt::format("history lists {} non-empty layers, but we have {} layers on disk", with_layer,
                            layers_.size()));
}

Json ImageDraft::manifest_annotations() const {
  Builder copy = builder_;
  auto annotations = copy.settings().annotations();
  if (options_.created_annotation)
    annotations[created_annotation_name] = created_;
  else
    annotations.erase(created_annotation_name);
  for (const auto& name : options_.unset_annotations) annotations.erase(name);
  for (const auto& text : options_.annotations) {
    const auto equals = text.find('=');
    annotations[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return annotations;
}

ImageDraft::Documents ImageDraft::finish() const {
  const bool docker = options_.docker_format;
  const std::string config =
      spec::dump_json(docker ? docker_image_document(image_) : oci_image_document(image_));
  const auto config_digest = io::digest_of(config);
  Json manifest = {{"schemaVersion", 2},
                   {"mediaType", docker ? media::docker_manifest : media::oci_manifest}};
  manifest["config"] =
      Json{{"mediaType", docker ? media::docker_config : media::oci_config},
           {docker ? "size" : "digest", docker ? Json(config.size()) : Json(config_digest.str())},
           {docker ? "digest" : "size", docker ? Json(config_digest.str()) : Json(config.size())}};
  Json& layers = manifest["layers"] = Json::array();
  for (const Layer& layer : layers_) {
    const std::string type = layer_type(docker, layer.gzip);
    layers.push_back(docker
                         ? Json{{"mediaType", type}, {"size", layer.size}, {"digest", layer.digest.str()}}
                         : Json{{"mediaType", type}, {"digest", layer.digest.str()}, {"size", layer.size}});
  }
  if (!docker)
    if (Json annotations = manifest_annotations(); !annotations.empty())
      manifest["annotations"] = std::move(annotations);
  const std::string bytes = spec::dump_json(manifest);
  return {config,
          config_digest,
          {bytes, std::string(docker ? media::docker_manifest : media::oci_manifest), io::digest_of(bytes)},
          created_};
}

}  // namespace lade::build
