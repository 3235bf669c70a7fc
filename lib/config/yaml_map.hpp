// Reading YAML strictly: every value is asked for by key and type, and what was not asked for is an error.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::config {

// One mapping of a document. Errors are Kind::invalid_input "<file>:<line>: <key>: <reason>"; a key that is
// there twice is one.
class YamlMap {
 public:
  // Of a whole document; an empty one is an empty mapping.
  static YamlMap parse(const std::string& text, const std::string& file);

  bool has(std::string_view key) const;
  std::vector<std::string> keys() const;  // in their order
  // Of the key, from 1; that of the mapping itself for one that is not there.
  int line_of(std::string_view key) const;

  // "" for a key that is absent or null.
  std::string text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  // The elements of a list of strings; nullopt for a key that is absent or null.
  std::optional<std::vector<std::string>> texts(std::string_view key);
  // nullopt for a key that is absent or null.
  std::optional<YamlMap> map(std::string_view key);

  [[noreturn]] void fail(std::string_view key, std::string_view reason) const;
  // Keys that were not asked for are an error.
  void finish() const;

 private:
  YamlMap(const YAML::Node& node, std::string file, std::string path);
  struct Member {
    std::string key;
    YAML::Node value;
    int line;
  };
  const Member* find(std::string_view key) const;
  const Member* take(std::string_view key);  // nullptr for null, too

  std::string file_, path_;
  int line_;
  std::vector<Member> members_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace lade::config
