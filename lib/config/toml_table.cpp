#include "config/toml_table.hpp"

#include "base/error.hpp"

namespace lade::config {

toml::table parse_toml(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    throw Error(Kind::invalid_input, file + ":" + std::to_string(error.source().begin.line) + ": " +
                                         std::string(error.description()));
  }
}

const toml::node* TomlTable::take(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

std::string TomlTable::key_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::string TomlTable::place(const toml::source_region& region) const {
  return file_ + ":" + std::to_string(region.begin.line);
}

void TomlTable::fail_at(const toml::node& node, std::string_view key, std::string_view reason) const {
  throw Error(Kind::invalid_input, place(node.source()) + ": " + key_path(key) + ": " + std::string(reason));
}

void TomlTable::fail(std::string_view key, std::string_view reason) const {
  const toml::node* node = table_.get(key);
  fail_at(node ? *node : table_, key, reason);
}

std::string TomlTable::text_of(const toml::node& node, std::string_view key) const {
  const auto* value = node.as_string();
  if (!value) fail_at(node, key, "must be a string");
  return value->get();
}

std::optional<std::string> TomlTable::text(std::string_view key) {
  const toml::node* node = take(key);
  return node ? std::optional(text_of(*node, key)) : std::nullopt;
}

std::optional<bool> TomlTable::boolean(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  const auto* value = node->as_boolean();
  if (!value) fail_at(*node, key, "must be true or false");
  return value->get();
}

std::optional<std::vector<std::string>> TomlTable::texts(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  const auto* array = node->as_array();
  if (!array) fail_at(*node, key, "must be an array of strings");
  std::vector<std::string> result;
  for (const auto& element : *array) result.push_back(text_of(element, key));
  return result;
}

std::optional<std::string> TomlTable::scalar(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get() ? "true" : "false";
  if (const auto* value = node->as_integer()) return std::to_string(value->get());
  return text_of(*node, key);
}

std::optional<TomlTable::TextList> TomlTable::text_list(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  const auto* array = node->as_array();
  if (!array) fail_at(*node, key, "must be an array of strings");
  TextList result;
  for (const auto& element : *array) {
    if (const auto* attributes = element.as_table()) {
      const auto* append = attributes->get_as<bool>("append");
      if (!append || attributes->size() != 1)
        fail_at(element, key, "only {append=true} may be among the strings");
      result.append = append->get();
    } else {
      result.texts.push_back(text_of(element, key));
    }
  }
  return result;
}

std::optional<std::map<std::string, std::string>> TomlTable::text_map(std::string_view key) {
  auto entries = table(key);
  if (!entries) return std::nullopt;
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : entries->table_)
    result.emplace(name.str(), entries->text_of(value, name.str()));
  return result;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return std::nullopt;
  if (!node->is_table()) fail_at(*node, key, "must be a table");
  return TomlTable(*node->as_table(), file_, key_path(key));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  const toml::node* node = take(key);
  if (!node) return {};
  const auto* array = node->as_array();
  if (!array) fail_at(*node, key, "must be an array of tables: [[" + key_path(key) + "]]");
  std::vector<TomlTable> result;
  for (const auto& element : *array) {
    if (!element.is_table()) fail_at(element, key, "must be a table");
    result.emplace_back(*element.as_table(), file_, key_path(key));
  }
  return result;
}

void TomlTable::report_unknown(std::vector<std::string>& warnings) const {
  for (const auto& [key, value] : table_)
    if (!asked_.contains(key.str()))
      warnings.push_back(place(key.source()) + ": unknown key " + key_path(key.str()));
}

}  // namespace lade::config
