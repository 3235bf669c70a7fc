#include "store/record_fields.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace lade::store {

namespace {

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower_case, lower_case);
}

}  // namespace

FieldReader::FieldReader(const Json& object, std::string what) : object_(object), what_(std::move(what)) {
  if (!object.is_object()) throw Error(Kind::invalid_input, what_ + ": is not an object");
}

const Json* FieldReader::find(std::string_view name) const {
  const Json* found = nullptr;
  for (const auto& [key, value] : object_.get_ref<const Json::object_t&>())
    if (same_name(key, name) && !value.is_null()) found = &value;
  return found;
}

void FieldReader::wrong_type(std::string_view name, std::string_view expected) const {
  throw Error(Kind::invalid_input, what_ + ": " + std::string(name) + " is not " + std::string(expected));
}

std::string FieldReader::text(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return "";
  if (!value->is_string()) wrong_type(name, "a string");
  return value->get<std::string>();
}

std::vector<std::string> FieldReader::texts(std::string_view name) const {
  std::vector<std::string> result;
  const Json* value = find(name);
  if (value == nullptr) return result;
  if (!value->is_array()) wrong_type(name, "a list of strings");
  for (const Json& element : *value) {
    if (!element.is_string()) wrong_type(name, "a list of strings");
    result.push_back(element.get<std::string>());
  }
  return result;
}

std::int64_t FieldReader::integer(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return 0;
  if (!value->is_number_integer()) wrong_type(name, "an integer");
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() > std::uint64_t(std::numeric_limits<std::int64_t>::max()))
    wrong_type(name, "a 64-bit integer");
  return value->get<std::int64_t>();
}

std::vector<std::uint32_t> FieldReader::numbers(std::string_view name) const {
  std::vector<std::uint32_t> result;
  const Json* value = find(name);
  if (value == nullptr) return result;
  if (!value->is_array()) wrong_type(name, "a list of IDs");
  for (const Json& element : *value) {
    if (!element.is_number_unsigned() ||
        element.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
      wrong_type(name, "a list of IDs");
    result.push_back(element.get<std::uint32_t>());
  }
  return result;
}

std::map<std::string, std::string> FieldReader::text_map(std::string_view name) const {
  std::map<std::string, std::string> result;
  const Json members = object(name);
  for (const auto& [key, value] : members.get_ref<const Json::object_t&>()) {
    if (!value.is_string()) wrong_type(name, "an object of strings");
    result.insert_or_assign(key, value.get<std::string>());
  }
  return result;
}

std::map<std::string, std::int64_t> FieldReader::integer_map(std::string_view name) const {
  std::map<std::string, std::int64_t> result;
  const Json members = object(name);
  for (const auto& [key, value] : members.get_ref<const Json::object_t&>()) {
    if (!value.is_number_integer()) wrong_type(name, "an object of integers");
    result.insert_or_assign(key, value.get<std::int64_t>());
  }
  return result;
}

std::optional<spec::Digest> FieldReader::digest(std::string_view name) const {
  return spec::Digest::try_parse(text(name));
}

std::vector<layer::IdMap> FieldReader::id_maps(std::string_view name) const {
  std::vector<layer::IdMap> result;
  const Json* value = find(name);
  if (value == nullptr) return result;
  if (!value->is_array()) wrong_type(name, "a list of ID maps");
  const auto id = [&](const FieldReader& map, std::string_view member) {
    const auto number = map.integer(member);
    if (number < 0 || number > std::numeric_limits<std::uint32_t>::max())
      wrong_type(name, "a list of ID maps");
    return static_cast<std::uint32_t>(number);
  };
  for (const Json& element : *value) {
    const FieldReader map(element, what_ + ": " + std::string(name));
    result.push_back({id(map, "container_id"), id(map, "host_id"), id(map, "size")});
  }
  return result;
}

Json FieldReader::object(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return Json::object();
  if (!value->is_object()) wrong_type(name, "an object");
  return *value;
}

void FieldWriter::put(std::string_view name, Json value, bool is_empty) {
  auto& members = object_.get_ref<Json::object_t&>();
  const auto is_member = [&](const auto& member) { return same_name(member.first, name); };
  const auto first = std::find_if(members.begin(), members.end(), is_member);
  // Keys of an ordered_map are const: the member is rebuilt.
  const auto at = first - members.begin();
  Json::object_t rebuilt;
  for (auto member = members.begin(); member != members.end(); ++member) {
    if (member - members.begin() == at && !is_empty)
      rebuilt.emplace(std::string(name), std::move(value));
    else if (!is_member(*member))
      rebuilt.emplace(member->first, std::move(member->second));
  }
  if (first == members.end() && !is_empty) rebuilt.emplace(std::string(name), std::move(value));
  object_ = Json(std::move(rebuilt));
}

void FieldWriter::set(std::string_view name, const std::string& text) {
  put(name, text, text.empty());
}

void FieldWriter::set(std::string_view name, const std::vector<std::string>& texts) {
  put(name, texts, texts.empty());
}

void FieldWriter::set(std::string_view name, std::int64_t integer) {
  put(name, integer, integer == 0);
}

void FieldWriter::set(std::string_view name, const std::vector<std::uint32_t>& numbers) {
  put(name, numbers, numbers.empty());
}

void FieldWriter::set(std::string_view name, const std::map<std::string, std::string>& texts) {
  Json value = Json::object();
  for (const auto& [key, text] : texts) value[key] = text;
  put(name, std::move(value), texts.empty());
}

void FieldWriter::set(std::string_view name, const std::map<std::string, std::int64_t>& integers) {
  Json value = Json::object();
  for (const auto& [key, integer] : integers) value[key] = integer;
  put(name, std::move(value), integers.empty());
}

void FieldWriter::set(std::string_view name, const std::optional<spec::Digest>& digest) {
  put(name, digest ? digest->str() : "", !digest);
}

void FieldWriter::set(std::string_view name, const std::vector<layer::IdMap>& maps) {
  Json value = Json::array();
  for (const auto& map : maps)
    value.push_back({{"container_id", map.container_id}, {"host_id", map.host_id}, {"size", map.size}});
  put(name, std::move(value), maps.empty());
}

void FieldWriter::set(std::string_view name, const Json& object) {
  put(name, object, object.empty());
}

}  // namespace lade::store
