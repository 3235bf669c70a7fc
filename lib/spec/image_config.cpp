#include "spec/image_config.hpp"

#include "base/error.hpp"
#include "spec/time.hpp"

namespace lade::spec {

namespace {

constexpr std::string_view config_name = "invalid image configuration";

const Json& object_or_empty(const Json& parent, std::string_view name) {
  static const Json empty = Json::object();
  const Json* value = find_member(parent, name);
  if (value == nullptr) return empty;
  if (!value->is_object())
    throw Error(Kind::invalid_input,
                std::string(config_name) + ": " + std::string(name) + " is not an object");
  return *value;
}

void require_object(const Json& value, std::string_view name) {
  if (!value.is_object())
    throw Error(Kind::invalid_input,
                std::string(config_name) + ": " + std::string(name) + " is not an object");
}

ImageConfig::History parse_history(const Json& entry) {
  require_object(entry, "an entry of history");
  return {string_member(entry, "created", config_name), string_member(entry, "created_by", config_name),
          string_member(entry, "author", config_name), string_member(entry, "comment", config_name),
          bool_member(entry, "empty_layer", config_name)};
}

DiffId parse_diff_id(const std::string& text) {
  return {in_context(config_name, [&] { return Digest::parse(text); })};
}

void put_time(Json& target, const char* name, const std::string& time) {
  if (!time.empty()) target[name] = in_context(config_name, [&] { return time_or_zero(time); });
}

void put_text(Json& target, const char* name, const std::string& text) {
  if (!text.empty()) target[name] = text;
}

void put_strings(Json& target, const Json& source, const char* name) {
  const auto strings = strings_member(source, name, config_name);
  if (strings && !strings->empty()) target[name] = *strings;
}

// A set as Go writes it: sorted members with empty objects.
void put_set(Json& target, const Json& source, const char* name) {
  const Json& set = object_or_empty(source, name);
  std::map<std::string, Json> sorted;
  for (const auto& member : set.get_ref<const Json::object_t&>()) sorted[member.first] = Json::object();
  if (!sorted.empty()) target[name] = sorted;
}

Json oci_execution(const Json& source) {
  Json target = Json::object();
  put_text(target, "User", string_member(source, "User", config_name));
  put_set(target, source, "ExposedPorts");
  put_strings(target, source, "Env");
  put_strings(target, source, "Entrypoint");
  put_strings(target, source, "Cmd");
  put_set(target, source, "Volumes");
  put_text(target, "WorkingDir", string_member(source, "WorkingDir", config_name));
  const auto labels = string_map_member(source, "Labels", config_name);
  if (labels && !labels->empty()) target["Labels"] = *labels;
  put_text(target, "StopSignal", string_member(source, "StopSignal", config_name));
  if (bool_member(source, "ArgsEscaped", config_name)) target["ArgsEscaped"] = true;
  return target;
}

Json oci_rootfs(const Json& document) {
  const Json& source = object_or_empty(document, "rootfs");
  const auto diff_ids = strings_member(source, "diff_ids", config_name);
  Json target = {{"type", string_member(source, "type", config_name)}};
  target["diff_ids"] = diff_ids ? Json(*diff_ids) : Json(nullptr);
  return target;
}

Json oci_history(const ImageConfig::History& entry) {
  Json target = Json::object();
  put_time(target, "created", entry.created);
  put_text(target, "created_by", entry.created_by);
  put_text(target, "author", entry.author);
  put_text(target, "comment", entry.comment);
  if (entry.empty_layer) target["empty_layer"] = true;
  return target;
}

}  // namespace

ImageConfig ImageConfig::parse(std::string_view bytes) {
  ImageConfig config;
  config.document = parse_json(bytes, config_name);
  const Json& document = config.document;
  require_object(document, "the document");
  config.created = string_member(document, "created", config_name);
  config.author = string_member(document, "author", config_name);
  config.architecture = string_member(document, "architecture", config_name);
  config.variant = string_member(document, "variant", config_name);
  config.os = string_member(document, "os", config_name);
  config.docker_version = string_member(document, "docker_version", config_name);

  const Json& execution = object_or_empty(document, "config");
  config.env = strings_member(execution, "Env", config_name);
  config.labels = string_map_member(execution, "Labels", config_name);
  const auto diff_ids = strings_member(object_or_empty(document, "rootfs"), "diff_ids", config_name);
  for (const std::string& text : diff_ids.value_or(std::vector<std::string>()))
    config.diff_ids.push_back(parse_diff_id(text));
  for (const Json& entry : array_member(document, "history", config_name))
    config.history.push_back(parse_history(entry));
  return config;
}

Json ImageConfig::oci_document() const {
  Json target = Json::object();
  put_time(target, "created", created);
  put_text(target, "author", author);
  target["architecture"] = architecture;
  target["os"] = os;
  put_text(target, "os.version", string_member(document, "os.version", config_name));
  put_strings(target, document, "os.features");
  put_text(target, "variant", variant);
  Json execution = oci_execution(object_or_empty(document, "config"));
  if (!execution.empty()) target["config"] = std::move(execution);
  target["rootfs"] = oci_rootfs(document);
  if (history.empty()) return target;
  Json& entries = target["history"] = Json::array();
  for (const History& entry : history) entries.push_back(oci_history(entry));
  return target;
}

}  // namespace lade::spec
