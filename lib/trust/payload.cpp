#include "trust/payload.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "spec/json.hpp"

namespace lade::trust {

namespace {

using spec::Json;

std::string_view type_name(PayloadType type) {
  return type == PayloadType::simple_signing ? "atomic container signature"
                                             : "cosign container image signature";
}

[[noreturn]] void refuse_payload(const std::string& why) {
  throw Error(Kind::denied, why);
}

// An object of exactly these members.
const Json& exact_object(const Json& value, const std::vector<std::string>& names) {
  if (!value.is_object()) refuse_payload("an object was expected in the signature");
  for (const auto& [name, member] : value.get_ref<const Json::object_t&>())
    if (std::ranges::find(names, name) == names.end())
      refuse_payload("Unrecognized key " + spec::dump_json(name));
  for (const auto& name : names)
    if (!value.contains(name)) refuse_payload("Key " + spec::dump_json(name) + " missing in a JSON object");
  return value;
}

std::string payload_text(const Json& object, const std::string& name) {
  const Json& value = object.at(name);
  if (!value.is_string()) refuse_payload(name + " is not a string");
  return value.get<std::string>();
}

std::int64_t whole_seconds(const Json& value) {
  constexpr double limit = 9007199254740992.0;  // 2^53: beyond that a double is no exact number
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const double seconds = value.is_number() ? value.get<double>() : std::nan("");
  if (!(std::abs(seconds) <= limit) || seconds != std::floor(seconds))
    refuse_payload("Field optional.timestamp is not an integer");
  return static_cast<std::int64_t>(seconds);
}

void read_optional(const Json& optional, PayloadType type, SignedPayload& payload) {
  if (optional.is_null() && type == PayloadType::sigstore) return;  // as cosign writes it
  if (!optional.is_object()) refuse_payload("optional is not an object");
  if (optional.contains("creator")) payload.creator = payload_text(optional, "creator");
  if (optional.contains("timestamp")) payload.timestamp = whole_seconds(optional.at("timestamp"));
}

SignedPayload parse_document(const Json& document, PayloadType type) {
  const Json& critical = exact_object(exact_object(document, {"critical", "optional"}).at("critical"),
                                      {"type", "image", "identity"});
  const std::string found = payload_text(critical, "type");
  if (found != type_name(type)) refuse_payload("Unrecognized signature type " + found);
  const std::string digest =
      payload_text(exact_object(critical.at("image"), {"docker-manifest-digest"}), "docker-manifest-digest");
  const auto manifest = spec::Digest::try_parse(digest);
  if (!manifest) refuse_payload("invalid docker-manifest-digest value " + spec::dump_json(digest));
  SignedPayload payload{*manifest, payload_text(exact_object(critical.at("identity"), {"docker-reference"}),
                                                "docker-reference")};
  read_optional(document.at("optional"), type, payload);
  return payload;
}

}  // namespace

SignedPayload parse_payload(std::string_view json, PayloadType type) {
  std::optional<Json> document;
  try {
    document = spec::parse_json(json, "signature");
  } catch (const Error& error) {
    refuse_payload(error.what());
  }
  return parse_document(*document, type);
}

std::string serialize(const SignedPayload& payload, PayloadType type) {
  Json optional = Json::object();
  if (payload.creator) optional["creator"] = *payload.creator;
  if (payload.timestamp) optional["timestamp"] = *payload.timestamp;
  const Json document = {{"critical",
                          {{"identity", {{"docker-reference", payload.reference}}},
                           {"image", {{"docker-manifest-digest", payload.manifest.str()}}},
                           {"type", type_name(type)}}},
                         {"optional", std::move(optional)}};
  return spec::dump_json(document);
}

}  // namespace lade::trust
