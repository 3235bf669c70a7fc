// Members of the store's records, read and written as Go's encoding/json would, without losing what is
// unknown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/id_maps.hpp"
#include "spec/digest.hpp"
#include "spec/json.hpp"

namespace lade::store {

using spec::Json;

// Reads an object. Names are compared without regard to case and the last one counts, as in Go; null is
// absent. Values of a wrong type are Kind::invalid_input "<what>: <name> is not a ...".
class FieldReader {
 public:
  FieldReader(const Json& object, std::string what);

  std::string text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  // 0 if absent
  std::vector<std::uint32_t> numbers(std::string_view name) const;
  std::map<std::string, std::string> text_map(std::string_view name) const;
  std::map<std::string, std::int64_t> integer_map(std::string_view name) const;
  // nullopt too for text that is no digest lade knows.
  std::optional<spec::Digest> digest(std::string_view name) const;
  std::vector<layer::IdMap> id_maps(std::string_view name) const;
  Json object(std::string_view name) const;  // {} if absent

 private:
  const Json* find(std::string_view name) const;
  [[noreturn]] void wrong_type(std::string_view name, std::string_view expected) const;

  const Json& object_;
  std::string what_;
};

// Sets members of an object: those that exist, in any case, are replaced in place, empty values removed.
class FieldWriter {
 public:
  explicit FieldWriter(Json& object) : object_(object) {}

  void set(std::string_view name, const std::string& text);
  void set(std::string_view name, const std::vector<std::string>& texts);
  void set(std::string_view name, std::int64_t integer);
  void set(std::string_view name, const std::vector<std::uint32_t>& numbers);
  void set(std::string_view name, const std::map<std::string, std::string>& texts);
  void set(std::string_view name, const std::map<std::string, std::int64_t>& integers);
  void set(std::string_view name, const std::optional<spec::Digest>& digest);
  void set(std::string_view name, const std::vector<layer::IdMap>& maps);
  void set(std::string_view name, const Json& object);

  // Only if the value is not what was read: what could not be represented stays as it is.
  template <class T>
  void set_changed(std::string_view name, const T& before, const T& after) {
    if (!(before == after)) set(name, after);
  }

 private:
  void put(std::string_view name, Json value, bool is_empty);

  Json& object_;
};

}  // namespace lade::store
