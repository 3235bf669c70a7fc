#include "build/settings.hpp"

#include <algorithm>
#include <array>

namespace lade::build {

using spec::Json;

namespace {

// Members of Docker's configuration that OCI's has not.
constexpr std::array<std::string_view, 5> docker_only = {"Hostname", "Domainname", "Shell", "OnBuild",
                                                         "Healthcheck"};

bool is_docker_only(std::string_view member) {
  return std::ranges::find(docker_only, member) != docker_only.end();
}

std::string text_of(const Json& object, std::string_view member) {
  const Json* value = spec::find_member(object, member);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

void set_or_erase(Json& object, std::string_view member, const std::string& value) {
  const std::string key(member);
  if (value.empty())
    object.erase(key);
  else
    object[key] = value;
}

std::vector<std::string> list_of(const Json& object, std::string_view member) {
  std::vector<std::string> result;
  const Json* value = spec::find_member(object, member);
  if (value == nullptr || !value->is_array()) return result;
  for (const Json& element : *value)
    if (element.is_string()) result.push_back(element.get<std::string>());
  return result;
}

std::map<std::string, std::string> map_of(const Json& object, std::string_view member) {
  std::map<std::string, std::string> result;
  const Json* value = spec::find_member(object, member);
  if (value == nullptr || !value->is_object()) return result;
  for (const auto& [key, text] : value->items())
    if (text.is_string()) result[key] = text.get<std::string>();
  return result;
}

std::int64_t integer_of(const Json& object, std::string_view member) {
  const Json* value = spec::find_member(object, member);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

bool is_unset_time(const std::string& time) {
  return time.empty() || time.starts_with("0001-01-01T00:00:00");
}

}  // namespace

Json& ImageSettings::object(Json& parent, std::string_view name) {
  Json& member = parent[std::string(name)];
  if (!member.is_object()) member = Json::object();
  return member;
}

template <class Edit>
void ImageSettings::edit_both(std::string_view member, const Edit& edit) {
  edit(docker_config());
  if (!is_docker_only(member)) edit(oci_config());
}

std::string ImageSettings::image_text(std::string_view member) {
  return text_of(oci(), member);
}

void ImageSettings::set_image_text(std::string_view member, const std::string& value) {
  set_or_erase(oci(), member, value);
  set_or_erase(docker(), member, value);
}

std::vector<std::string> ImageSettings::os_features() {
  return list_of(oci(), "os.features");
}

void ImageSettings::set_os_features(const std::vector<std::string>& features) {
  for (Json* image : {&oci(), &docker()}) {
    if (features.empty())
      image->erase("os.features");
    else
      (*image)["os.features"] = features;
  }
}

std::string ImageSettings::comment() {
  return text_of(docker(), "comment");
}

void ImageSettings::set_comment(const std::string& comment) {
  set_or_erase(docker(), "comment", comment);
}

std::string ImageSettings::text(std::string_view member) {
  return text_of(is_docker_only(member) || member == "StopSignal" ? docker_config() : oci_config(), member);
}

void ImageSettings::set_text(std::string_view member, const std::string& value) {
  edit_both(member, [&](Json& config) { set_or_erase(config, member, value); });
}

std::vector<std::string> ImageSettings::list(std::string_view member) {
  return list_of(is_docker_only(member) ? docker_config() : oci_config(), member);
}

void ImageSettings::set_list(std::string_view member, const std::vector<std::string>& values) {
  edit_both(member, [&](Json& config) {
    if (values.empty())
      config.erase(std::string(member));
    else
      config[std::string(member)] = values;
  });
}

std::vector<std::string> ImageSettings::set(std::string_view member) {
  std::vector<std::string> result;
  const Json* value = spec::find_member(oci_config(), member);
  if (value != nullptr && value->is_object())
    for (const auto& [key, ignored] : value->items()) result.push_back(key);
  std::ranges::sort(result);
  return result;
}

void ImageSettings::add_to_set(std::string_view member, const std::string& key) {
  edit_both(member, [&](Json& config) { object(config, member)[key] = Json::object(); });
}

void ImageSettings::remove_from_set(std::string_view member, const std::string& key) {
  edit_both(member, [&](Json& config) { object(config, member).erase(key); });
}

void ImageSettings::clear(std::string_view member) {
  edit_both(member, [&](Json& config) { config.erase(std::string(member)); });
}

std::optional<std::string> ImageSettings::find_env(std::string_view name) {
  for (const std::string& entry : list("Env"))
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  return std::nullopt;
}

void ImageSettings::set_env(const std::string& name, const std::string& value) {
  unset_env(name);
  auto entries = list("Env");
  entries.push_back(name);
  entries.back().append("=").append(value);
  set_list("Env", entries);
}

void ImageSettings::unset_env(const std::string& name) {
  auto entries = list("Env");
  std::erase_if(entries, [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  });
  set_list("Env", entries);
}

std::map<std::string, std::string> ImageSettings::labels() {
  return map_of(oci_config(), "Labels");
}

void ImageSettings::set_label(const std::string& name, const std::string& value) {
  edit_both("Labels", [&](Json& config) { object(config, "Labels")[name] = value; });
}

void ImageSettings::unset_label(const std::string& name) {
  edit_both("Labels", [&](Json& config) { object(config, "Labels").erase(name); });
}

std::map<std::string, std::string> ImageSettings::annotations() {
  return map_of(state_, "annotations");
}

void ImageSettings::set_annotation(const std::string& name, const std::string& value) {
  object(state_, "annotations")[name] = value;
}

void ImageSettings::unset_annotation(const std::string& name) {
  object(state_, "annotations").erase(name);
}

void ImageSettings::clear_annotations() {
  state_["annotations"] = Json::object();
}

std::optional<Healthcheck> ImageSettings::healthcheck() {
  const Json* value = spec::find_member(docker_config(), "Healthcheck");
  if (value == nullptr || !value->is_object()) return std::nullopt;
  return Healthcheck{
      list_of(*value, "Test"),           integer_of(*value, "Interval"),      integer_of(*value, "Timeout"),
      integer_of(*value, "StartPeriod"), integer_of(*value, "StartInterval"), integer_of(*value, "Retries")};
}

void ImageSettings::set_healthcheck(const std::optional<Healthcheck>& healthcheck) {
  docker_config().erase("Healthcheck");
  if (!healthcheck) return;
  Json& target = docker_config()["Healthcheck"] = Json::object();
  if (!healthcheck->test.empty()) target["Test"] = healthcheck->test;
  const auto put = [&](const char* name, std::int64_t value) {
    if (value != 0) target[name] = value;
  };
  put("Interval", healthcheck->interval);
  put("Timeout", healthcheck->timeout);
  put("StartPeriod", healthcheck->start_period);
  put("StartInterval", healthcheck->start_interval);
  put("Retries", healthcheck->retries);
}

void ImageSettings::fill_in(const std::string& now, const std::string& os, const std::string& architecture,
                            const std::string& variant) {
  // What the image says goes before what the container was that it was made of.
  const Json* config = spec::find_member(docker(), "config");
  const Json* container_config = spec::find_member(docker(), "container_config");
  if (config == nullptr && container_config != nullptr) docker()["config"] = Json(*container_config);
  docker_config();
  docker().erase("docker_version");
  for (Json* image : {&oci(), &docker()})
    if (is_unset_time(text_of(*image, "created"))) (*image)["created"] = now;
  if (image_text("os").empty()) set_image_text("os", os);
  if (image_text("architecture").empty()) {
    set_image_text("architecture", architecture);
    set_image_text("variant", variant);
  }
}

}  // namespace lade::build
