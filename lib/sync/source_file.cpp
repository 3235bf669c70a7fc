#include "sync/source_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <set>

#include "base/error.hpp"

namespace lade::sync {
namespace {

class Reader {
 public:
  Reader(const std::string& file, std::vector<std::string>& warnings) : file_(file), warnings_(warnings) {}

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view what) const {
    throw Error(Kind::invalid_input,
                fmt::format("Failed to unmarshal \"{}\": line {}: {}", file_, mark.line + 1, what));
  }

  using Member = std::function<void(const std::string& key, const YAML::Node& value)>;

  // Calls `member` for each entry of a map; null is an empty map.
  void each_member(const YAML::Node& node, std::string_view what, const Member& member) const {
    if (node.IsNull()) return;
    if (!node.IsMap()) refuse(node.Mark(), fmt::format("{} is not a map", what));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = text(entry.first, fmt::format("a key of {}", what));
      if (!seen.insert(key).second)
        refuse(entry.first.Mark(), fmt::format("key \"{}\" is already set in {}", key, what));
      member(key, entry.second);
    }
  }

  std::string text(const YAML::Node& node, std::string_view what) const {
    if (!node.IsScalar()) refuse(node.Mark(), fmt::format("{} is not a string", what));
    return node.Scalar();
  }

  bool boolean(const YAML::Node& node, std::string_view what) const {
    bool value = false;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
      refuse(node.Mark(), fmt::format("{} is neither true nor false", what));
    return value;
  }

  std::vector<std::string> texts(const YAML::Node& node, std::string_view what) const {
    std::vector<std::string> values;
    if (node.IsNull()) return values;
    if (!node.IsSequence()) refuse(node.Mark(), fmt::format("{} is not a list", what));
    for (const auto& entry : node) values.push_back(text(entry, fmt::format("an entry of {}", what)));
    return values;
  }

  std::vector<std::pair<std::string, std::string>> pairs(const YAML::Node& node,
                                                         std::string_view what) const {
    std::vector<std::pair<std::string, std::string>> result;
    each_member(node, what, [&](const std::string& key, const YAML::Node& value) {
      result.emplace_back(key, text(value, key));
    });
    return result;
  }

  void warn_unknown(const YAML::Node& value, std::string_view key, std::string_view where) const {
    warnings_.push_back(
        fmt::format("{}: line {}: unknown key \"{}\" in {}", file_, value.Mark().line + 1, key, where));
  }

 private:
  const std::string& file_;
  std::vector<std::string>& warnings_;
};

registry::Credentials read_credentials(const Reader& reader, const YAML::Node& node) {
  registry::Credentials credentials;
  reader.each_member(node, "credentials", [&](const std::string& key, const YAML::Node& value) {
    if (key == "username")
      credentials.username = reader.text(value, key);
    else if (key == "password")
      credentials.password = reader.text(value, key);
    else
      reader.warn_unknown(value, key, "credentials");
  });
  return credentials;
}

FileEntry read_registry(const Reader& reader, const std::string& name, const YAML::Node& node) {
  FileEntry entry;
  entry.registry = name;
  reader.each_member(node, name, [&](const std::string& key, const YAML::Node& value) {
    if (key == "images") {
      reader.each_member(value, key, [&](const std::string& repository, const YAML::Node& references) {
        entry.images.emplace_back(repository, reader.texts(references, repository));
      });
    } else if (key == "images-by-tag-regex") {
      entry.images_by_tag_regex = reader.pairs(value, key);
    } else if (key == "images-by-semver") {
      entry.images_by_semver = reader.pairs(value, key);
    } else if (key == "credentials") {
      entry.credentials = read_credentials(reader, value);
    } else if (key == "tls-verify") {
      entry.tls_verify = reader.boolean(value, key);
    } else if (key == "cert-dir") {
      entry.cert_dir = reader.text(value, key);
    } else {
      reader.warn_unknown(value, key, name);
    }
  });
  return entry;
}

}  // namespace

SourceFile SourceFile::parse(const std::string& text, const std::string& file) {
  SourceFile result;
  const Reader reader(file, result.warnings);
  try {
    reader.each_member(YAML::Load(text), "the file", [&](const std::string& name, const YAML::Node& node) {
      result.registries.push_back(read_registry(reader, name, node));
    });
  } catch (const YAML::Exception& exception) {
    reader.refuse(exception.mark, exception.msg);
  }
  return result;
}

}  // namespace lade::sync
