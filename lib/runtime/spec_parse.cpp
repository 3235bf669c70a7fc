#include <fmt/format.h>

#include <concepts>
#include <limits>
#include <type_traits>

#include "base/error.hpp"
#include "runtime/spec.hpp"
#include "runtime/spec_members.hpp"

namespace lade::runtime {
namespace {

using spec::Json;

[[noreturn]] void refuse_member(const std::string& where, std::string_view reason) {
  throw Error(Kind::invalid_input, fmt::format("{} {}", where, reason));
}

template <class T>
void read_value(const Json& json, T& value, const std::string& where);

class SpecReader {
 public:
  SpecReader(const Json& object, const std::string& where) : object_(object), where_(where) {
    if (!object.is_object()) refuse_member(where, "is not an object");
  }

  template <class T>
  void operator()(const char* name, T& value) {
    if (const Json* member = spec::find_member(object_, name)) read_value(*member, value, path_of(name));
  }

  template <class T>
  void require(const char* name, T& value) {
    const Json* member = spec::find_member(object_, name);
    if (member == nullptr) refuse_member(path_of(name), "is missing");
    read_value(*member, value, path_of(name));
  }

 private:
  std::string path_of(const char* name) const { return where_ + (where_.ends_with(' ') ? "" : ".") + name; }

  const Json& object_;
  const std::string& where_;
};

void read_one(const Json& json, bool& value, const std::string& where) {
  if (!json.is_boolean()) refuse_member(where, "is not true or false");
  value = json.get<bool>();
}

template <std::integral T>
void read_one(const Json& json, T& value, const std::string& where) {
  const auto refuse_range = [&] { refuse_member(where, "is out of range"); };
  if (json.is_number_unsigned()) {
    const auto number = json.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) refuse_range();
    value = static_cast<T>(number);
  } else if (json.is_number_integer()) {
    const auto number = json.get<std::int64_t>();
    if (std::is_unsigned_v<T> || number < static_cast<std::int64_t>(std::numeric_limits<T>::min()))
      refuse_range();
    value = static_cast<T>(number);
  } else {
    refuse_member(where, "is not an integer");
  }
}

void read_one(const Json& json, std::string& value, const std::string& where) {
  if (!json.is_string()) refuse_member(where, "is not a string");
  value = json.get_ref<const std::string&>();
  // Everything here becomes a C string sooner or later.
  if (value.find('\0') != std::string::npos) refuse_member(where, "holds a NUL character");
}

void read_one(const Json& json, char& value, const std::string& where) {
  std::string text;
  read_one(json, text, where);
  if (text.size() != 1) refuse_member(where, "is not one character");
  value = text[0];
}

void read_one(const Json& json, NamespaceType& value, const std::string& where) {
  std::string text;
  read_one(json, text, where);
  for (std::size_t i = 0; i < namespace_types; ++i) {
    if (to_string(static_cast<NamespaceType>(i)) != text) continue;
    value = static_cast<NamespaceType>(i);
    return;
  }
  refuse_member(where, fmt::format("names an unknown namespace {}", spec::dump_json(Json(text))));
}

template <class T>
void read_one(const Json& json, std::vector<T>& value, const std::string& where) {
  if (!json.is_array()) refuse_member(where, "is not a list");
  value.clear();
  value.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    read_value(json[i], value.emplace_back(), fmt::format("{}[{}]", where, i));
  }
}

template <class T>
void read_one(const Json& json, std::map<std::string, T>& value, const std::string& where) {
  if (!json.is_object()) refuse_member(where, "is not an object");
  value.clear();
  for (const auto& [name, member] : json.get_ref<const Json::object_t&>()) {
    if (name.find('\0') != std::string::npos) refuse_member(where, "has a name with a NUL character");
    read_value(member, value[name], where + "." + name);
  }
}

template <class T>
void read_one(const Json& json, std::optional<T>& value, const std::string& where) {
  read_value(json, value.emplace(), where);
}

template <class T>
void read_value(const Json& json, T& value, const std::string& where) {
  if constexpr (requires(SpecReader & reader) { Members<SpecReader, T>::of(reader, value); }) {
    SpecReader reader(json, where);
    Members<SpecReader, T>::of(reader, value);
  } else {
    read_one(json, value, where);
  }
}

// Only what stands in the document itself: versions 1.x, and what is before and after the number.
void check_version(const std::string& version) {
  const auto refuse = [&](Kind kind, const char* reason) {
    throw Error(kind, fmt::format("config.json: ociVersion {} {}", spec::dump_json(Json(version)), reason));
  };
  const std::size_t end = version.find_first_of("-+");
  const std::string numbers = version.substr(0, end);
  if (numbers.empty() || numbers.size() > 32 ||
      numbers.find_first_not_of("0123456789.") != std::string::npos ||
      std::count(numbers.begin(), numbers.end(), '.') != 2 || numbers.find("..") != std::string::npos ||
      numbers.front() == '.' || numbers.back() == '.')
    refuse(Kind::invalid_input, "is not a version");
  if (!numbers.starts_with("1.")) refuse(Kind::unsupported, "is not supported: 1.x is");
}

template <class T>
T parse_document(std::string_view text, const char* what) {
  const Json json = spec::parse_json(text, what, max_spec_size);
  T value;
  read_value(json, value, std::string(what) + ": ");
  return value;
}

}  // namespace

std::string_view to_string(NamespaceType type) {
  static constexpr std::string_view words[] = {"pid", "network", "mount",  "ipc",
                                               "uts", "user",    "cgroup", "time"};
  static_assert(std::size(words) == namespace_types);
  return words[static_cast<std::size_t>(type)];
}

const Namespace* Linux::find(NamespaceType type) const {
  for (const Namespace& entry : namespaces) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

Spec parse_spec(std::string_view text) {
  auto spec = parse_document<Spec>(text, "config.json");
  check_version(spec.oci_version);
  return spec;
}

Process parse_process(std::string_view text) {
  return parse_document<Process>(text, "process");
}

Resources parse_resources(std::string_view text) {
  return parse_document<Resources>(text, "resources");
}

}  // namespace lade::runtime
