#include "spec/json.hpp"

#include <limits>
#include <unordered_set>

#include "base/error.hpp"

namespace lade::spec {

namespace {

// Builds the document itself: ordered_json's own parser looks through all members for each new one, which is
// quadratic in a document that a stranger chose.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return fail("binary value"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!levels_.back().names.insert(name).second) return fail("member " + quoted(name) + " occurs twice");
    levels_.back().name = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("invalid JSON at byte " + std::to_string(position));
  }

  const std::string& fault() const { return fault_; }
  Json take() { return std::move(root_); }

 private:
  struct Level {
    Json value;
    std::string name;  // of the member that comes next
    std::unordered_set<std::string> names{};
  };

  static std::string quoted(const std::string& name) {
    constexpr std::size_t shown = 64;
    return dump_json(name.substr(0, shown));
  }

  bool fail(std::string reason) {
    if (fault_.empty()) fault_ = std::move(reason);
    return false;
  }

  bool add(Json value) {
    if (++count_ > max_json_values) return fail("more than " + std::to_string(max_json_values) + " values");
    place(std::move(value));
    return true;
  }

  void place(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = levels_.back(); level.value.is_array()) {
      level.value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      level.value.get_ref<Json::object_t&>().emplace_back(std::move(level.name), std::move(value));
    }
  }

  bool open(Json empty) {
    if (++count_ > max_json_values) return fail("more than " + std::to_string(max_json_values) + " values");
    if (levels_.size() >= static_cast<std::size_t>(max_json_depth))
      return fail("nested deeper than " + std::to_string(max_json_depth) + " levels");
    levels_.push_back({std::move(empty), {}});
    return true;
  }

  bool close() {
    Json value = std::move(levels_.back().value);
    levels_.pop_back();
    place(std::move(value));
    return true;
  }

  Json root_;
  std::vector<Level> levels_;
  std::size_t count_ = 0;
  std::string fault_;
};

// The fault; empty if the document was parsed into `value`.
std::string parse_into(std::string_view text, std::size_t limit, Json& value) {
  if (text.size() > limit) return "larger than " + std::to_string(limit) + " bytes";
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return builder.fault();
  value = builder.take();
  return "";
}

[[noreturn]] void wrong_type(std::string_view what, std::string_view name, std::string_view expected) {
  throw Error(Kind::invalid_input,
              std::string(what) + ": " + std::string(name) + " is not " + std::string(expected));
}

std::string text_of(const Json& value, std::string_view name, std::string_view what) {
  if (!value.is_string()) wrong_type(what, name, "a string");
  return value.get<std::string>();
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what, std::size_t limit) {
  Json value;
  const std::string fault = parse_into(text, limit, value);
  if (!fault.empty()) throw Error(Kind::invalid_input, std::string(what) + ": " + fault);
  return value;
}

std::optional<Json> try_parse_json(std::string_view text, std::size_t limit) {
  Json value;
  if (!parse_into(text, limit, value).empty()) return std::nullopt;
  return value;
}

const Json* find_member(const Json& object, std::string_view name) {
  for (const auto& member : object.get_ref<const Json::object_t&>())
    if (member.first == name) return member.second.is_null() ? nullptr : &member.second;
  return nullptr;
}

std::string string_member(const Json& object, std::string_view name, std::string_view what) {
  const Json* value = find_member(object, name);
  return value == nullptr ? "" : text_of(*value, name, what);
}

bool bool_member(const Json& object, std::string_view name, std::string_view what) {
  const Json* value = find_member(object, name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) wrong_type(what, name, "a boolean");
  return value->get<bool>();
}

std::optional<std::uint64_t> size_member(const Json& object, std::string_view name, std::string_view what) {
  const Json* value = find_member(object, name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_unsigned() &&
                    value->get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<std::int64_t>::max());
  if (!fits) wrong_type(what, name, "an integer from 0 to 2^63-1");
  return value->get<std::uint64_t>();
}

std::optional<std::vector<std::string>> strings_member(const Json& object, std::string_view name,
                                                       std::string_view what) {
  const Json* value = find_member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array()) wrong_type(what, name, "a list of strings");
  std::vector<std::string> strings;
  for (const Json& element : *value) strings.push_back(element.is_null() ? "" : text_of(element, name, what));
  return strings;
}

std::optional<std::map<std::string, std::string>> string_map_member(const Json& object, std::string_view name,
                                                                    std::string_view what) {
  const Json* value = find_member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) wrong_type(what, name, "an object of strings");
  std::map<std::string, std::string> strings;
  for (const auto& [key, element] : value->get_ref<const Json::object_t&>())
    strings.emplace(key, element.is_null() ? "" : text_of(element, name, what));
  return strings;
}

const Json::array_t& array_member(const Json& object, std::string_view name, std::string_view what) {
  static const Json::array_t empty;
  const Json* value = find_member(object, name);
  if (value == nullptr) return empty;
  if (!value->is_array()) wrong_type(what, name, "a list");
  return value->get_ref<const Json::array_t&>();
}

}  // namespace lade::spec
