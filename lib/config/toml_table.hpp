// Reading TOML strictly: every value is asked for by key and type, and what was not asked for is reported.
#pragma once

#include <toml++/toml.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lade::config {

// Kind::invalid_input "<file>:<line>: <reason>"; duplicate keys are refused by TOML itself.
toml::table parse_toml(std::string_view text, const std::string& file);

// One table of a document that outlives it. The readers throw Kind::invalid_input
// "<file>:<line>: <key>: must be a string" for values of another type.
class TomlTable {
 public:
  TomlTable(const toml::table& table, std::string file, std::string path = "")
      : table_(table), file_(std::move(file)), path_(std::move(path)) {}

  std::optional<std::string> text(std::string_view key);
  std::string text_or_empty(std::string_view key) { return text(key).value_or(""); }
  std::optional<bool> boolean(std::string_view key);
  bool flag(std::string_view key) { return boolean(key).value_or(false); }
  std::optional<std::vector<std::string>> texts(std::string_view key);
  // A string, or a boolean or integer as text: where programs differ in what they take.
  std::optional<std::string> scalar(std::string_view key);
  // Strings among which there may be {append=true}: they follow those of earlier files.
  struct TextList {
    std::vector<std::string> texts;
    std::optional<bool> append;
  };
  std::optional<TextList> text_list(std::string_view key);
  // [key], with strings for values.
  std::optional<std::map<std::string, std::string>> text_map(std::string_view key);
  // [[key]], in order; empty if there are none.
  std::vector<TomlTable> tables(std::string_view key);
  std::optional<TomlTable> table(std::string_view key);
  std::string where() const { return place(table_.source()); }  // "<file>:<line>"
  bool has(std::string_view key) const { return table_.contains(key); }

  // Kind::invalid_input "<file>:<line>: <key>: <reason>", with the table's own line if `key` is not in it.
  [[noreturn]] void fail(std::string_view key, std::string_view reason) const;

  // Adds "<file>:<line>: unknown key <key>" for every key that was not asked for.
  void report_unknown(std::vector<std::string>& warnings) const;

 private:
  const toml::node* take(std::string_view key);
  std::string key_path(std::string_view key) const;
  std::string place(const toml::source_region& region) const;
  [[noreturn]] void fail_at(const toml::node& node, std::string_view key, std::string_view reason) const;
  std::string text_of(const toml::node& node, std::string_view key) const;

  const toml::table& table_;
  std::string file_, path_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace lade::config
