// JSON with limits. Documents come from strangers: depth and size are bounded before anything is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::spec {

// Keeps the order of members, so that unknown ones survive a round trip in place.
using Json = nlohmann::ordered_json;

inline constexpr std::size_t max_manifest_size = 4 * 1024 * 1024;
inline constexpr int max_json_depth = 64;
// Bounds the memory that a document can claim: a value costs up to 60 times its text.
inline constexpr std::size_t max_json_values = 500'000;

// Kind::invalid_input "<what>: <reason at byte N>" for bytes that are not one JSON document, for documents
// nested deeper than max_json_depth, longer than `limit`, of more than max_json_values values, or with a
// member twice in one object. Takes time linear in the text.
Json parse_json(std::string_view text, std::string_view what, std::size_t limit = max_manifest_size);
// nullopt instead of an error.
std::optional<Json> try_parse_json(std::string_view text, std::size_t limit = max_manifest_size);

// As Go's encoding/json writes it: compact; <, >, & and U+2028/9 escaped; invalid UTF-8 replaced.
// indent > 0: as json.MarshalIndent with that many spaces.
std::string dump_json(const Json& value, int indent = 0);

// Reading members as Go does: absent and null are the same. `object` must be an object.
// The typed ones throw Kind::invalid_input "<what>: <name> is not a ..." for a value of another type.
const Json* find_member(const Json& object, std::string_view name);  // nullptr if absent or null
std::string string_member(const Json& object, std::string_view name, std::string_view what);
bool bool_member(const Json& object, std::string_view name, std::string_view what);
// Integers from 0 to 2^63-1; nullopt if absent.
std::optional<std::uint64_t> size_member(const Json& object, std::string_view name, std::string_view what);
std::optional<std::vector<std::string>> strings_member(const Json& object, std::string_view name,
                                                       std::string_view what);
std::optional<std::map<std::string, std::string>> string_map_member(const Json& object, std::string_view name,
                                                                    std::string_view what);
// The elements, living as long as `object`; empty if absent.
const Json::array_t& array_member(const Json& object, std::string_view name, std::string_view what);

}  // namespace lade::spec
