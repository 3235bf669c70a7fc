#include "config/strict_json.hpp"

#include "config/base64.hpp"

namespace lade::config {

using spec::Json;

StrictObject::StrictObject(std::shared_ptr<const Json> document, const Json& object, std::string where)
    : document_(std::move(document)), object_(&object), where_(std::move(where)) {
  if (!object.is_object()) fail("is not an object");
}

StrictObject StrictObject::parse(std::string_view text) {
  auto document = std::make_shared<const Json>(spec::parse_json(text, "JSON"));
  const Json& object = *document;
  return {std::move(document), object, "document"};
}

bool StrictObject::has(std::string_view key) const {
  return object_->contains(std::string(key));
}

std::vector<std::string> StrictObject::keys() const {
  std::vector<std::string> result;
  for (const auto& [key, value] : object_->get_ref<const Json::object_t&>()) result.push_back(key);
  return result;
}

const Json* StrictObject::take(std::string_view key) {
  asked_.emplace(key);
  const auto found = object_->find(std::string(key));
  return found == object_->end() ? nullptr : &*found;
}

std::string StrictObject::child(std::string_view key) const {
  const std::string name = key.empty() ? "\"\"" : std::string(key);
  return where_ == "document" ? name : where_ + "." + name;
}

void StrictObject::fail(std::string reason) const {
  throw Error(Kind::invalid_input, where_ + ": " + std::move(reason));
}

std::string StrictObject::text_of(const Json& value, std::string_view key) const {
  if (!value.is_string()) fail(std::string(key) + " is not a string");
  return value.get<std::string>();
}

std::string StrictObject::text(std::string_view key) {
  const Json* value = take(key);
  return value ? text_of(*value, key) : "";
}

std::string StrictObject::required_text(std::string_view key) {
  auto result = text(key);
  if (result.empty()) fail(std::string(key) + " not specified");
  return result;
}

std::vector<std::string> StrictObject::texts(std::string_view key) {
  const Json* value = take(key);
  if (!value) return {};
  if (!value->is_array()) fail(std::string(key) + " is not a list");
  if (value->empty()) fail(std::string(key) + " contains no entries");
  std::vector<std::string> result;
  for (const auto& element : *value) result.push_back(text_of(element, key));
  return result;
}

StrictObject StrictObject::object(std::string_view key) {
  const Json* value = take(key);
  if (!value) fail(std::string(key) + " not specified");
  return {document_, *value, child(key)};
}

std::vector<StrictObject> StrictObject::objects(std::string_view key) {
  const Json* value = take(key);
  if (!value || !value->is_array()) fail(child(key) + " is not a list");
  std::vector<StrictObject> result;
  for (const auto& element : *value)
    result.push_back({document_, element, child(key) + "[" + std::to_string(result.size()) + "]"});
  return result;
}

std::string StrictObject::data(std::string_view key, const std::string& text) const {
  auto result = base64_decode(text);
  if (!result) fail(std::string(key) + " is not valid base64");
  if (result->empty() && has(key)) fail(std::string(key) + " is empty");
  return *std::move(result);
}

void StrictObject::finish() const {
  for (const auto& key : keys())
    if (!asked_.contains(key)) fail("unknown member " + spec::dump_json(key));
}

}  // namespace lade::config
