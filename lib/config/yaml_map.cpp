#include "config/yaml_map.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::config {

namespace {

std::string yaml_place(const std::string& file, int line) {
  return file + ":" + std::to_string(line) + ": ";
}

int line_in(const YAML::Node& node) {
  return node.Mark().is_null() ? 1 : node.Mark().line + 1;
}

YAML::Node load_yaml(const std::string& text, const std::string& file) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
    throw Error(Kind::invalid_input, yaml_place(file, line) + error.msg);
  }
}

}  // namespace

YamlMap YamlMap::parse(const std::string& text, const std::string& file) {
  return YamlMap(load_yaml(text, file), file, "");
}

YamlMap::YamlMap(const YAML::Node& node, std::string file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), line_(line_in(node)) {
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) {
    throw Error(Kind::invalid_input,
                yaml_place(file_, line_) + (path_.empty() ? "the document" : path_) + " is not a mapping");
  }
  std::set<std::string> seen;
  for (const auto& member : node) {
    if (!member.first.IsScalar())
      throw Error(Kind::invalid_input, yaml_place(file_, line_in(member.first)) + "a key is not a string");
    members_.push_back({member.first.Scalar(), member.second, line_in(member.first)});
    if (!seen.insert(members_.back().key).second) {
      // The later of the two is the one that is too many.
      throw Error(Kind::invalid_input, yaml_place(file_, members_.back().line) +
                                           (path_.empty() ? "" : path_ + ".") + members_.back().key +
                                           ": is there twice");
    }
  }
}

const YamlMap::Member* YamlMap::find(std::string_view key) const {
  const auto found = std::ranges::find(members_, key, &Member::key);
  return found == members_.end() ? nullptr : &*found;
}

const YamlMap::Member* YamlMap::take(std::string_view key) {
  asked_.emplace(key);
  const Member* member = find(key);
  return member == nullptr || member->value.IsNull() ? nullptr : member;
}

bool YamlMap::has(std::string_view key) const {
  return find(key) != nullptr;
}

std::vector<std::string> YamlMap::keys() const {
  std::vector<std::string> result;
  for (const auto& member : members_) result.push_back(member.key);
  return result;
}

int YamlMap::line_of(std::string_view key) const {
  const Member* member = find(key);
  return member == nullptr ? line_ : member->line;
}

std::string YamlMap::text(std::string_view key) {
  const Member* member = take(key);
  if (member == nullptr) return "";
  if (!member->value.IsScalar()) fail(key, "must be a string");
  return member->value.Scalar();
}

std::optional<bool> YamlMap::flag(std::string_view key) {
  const Member* member = take(key);
  if (member == nullptr) return std::nullopt;
  bool value = false;
  if (!member->value.IsScalar() || !YAML::convert<bool>::decode(member->value, value))
    fail(key, "must be true or false");
  return value;
}

std::optional<std::vector<std::string>> YamlMap::texts(std::string_view key) {
  const Member* member = take(key);
  if (member == nullptr) return std::nullopt;
  if (!member->value.IsSequence()) fail(key, "must be a list of strings");
  std::vector<std::string> result;
  for (const YAML::Node& element : member->value) {
    if (!element.IsScalar()) fail(key, "must be a list of strings");
    result.push_back(element.Scalar());
  }
  return result;
}

std::optional<YamlMap> YamlMap::map(std::string_view key) {
  const Member* member = take(key);
  if (member == nullptr) return std::nullopt;
  return YamlMap(member->value, file_, (path_.empty() ? "" : path_ + ".") + std::string(key));
}

void YamlMap::fail(std::string_view key, std::string_view reason) const {
  std::string text = yaml_place(file_, line_of(key));
  if (!path_.empty()) text += path_ + ".";
  throw Error(Kind::invalid_input, text.append(key).append(": ").append(reason));
}

void YamlMap::finish() const {
  for (const auto& member : members_)
    if (!asked_.contains(member.key)) fail(member.key, "unknown key");
}

}  // namespace lade::config
