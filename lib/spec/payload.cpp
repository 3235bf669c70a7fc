// The payload of a signed Docker schema 1 manifest: its JWS signatures stand inside of the document they sign
// (docker/libtrust's "pretty" signatures).
#include "base/error.hpp"
#include "spec/base64.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"

namespace lade::spec {

namespace {

constexpr std::string_view document_name = "signed manifest";

std::string decode(const std::string& text, std::string_view name) {
  auto bytes = base64url_decode(text);
  if (!bytes)
    throw Error(Kind::invalid_input,
                std::string(document_name) + ": " + std::string(name) + " is not base64");
  return std::move(*bytes);
}

// How the payload ends: its first `length` bytes stand in the document, then comes `tail`.
struct Format {
  std::uint64_t length = 0;
  std::string tail;
  bool operator==(const Format&) const = default;
};

Format parse_format(const Json& signature) {
  if (!signature.is_object())
    throw Error(Kind::invalid_input, std::string(document_name) + ": a signature is not an object");
  const Json header = parse_json(
      decode(string_member(signature, "protected", document_name), "protected header"), document_name);
  if (!header.is_object())
    throw Error(Kind::invalid_input, std::string(document_name) + ": protected header is not an object");
  const auto length = size_member(header, "formatLength", document_name);
  if (!length) throw Error(Kind::invalid_input, std::string(document_name) + ": missing formatted length");
  return {*length, decode(string_member(header, "formatTail", document_name), "formatTail")};
}

}  // namespace

std::string manifest_payload(std::string_view bytes) {
  if (guess_manifest_type(bytes) != media_type::docker_manifest_v1_signed) return std::string(bytes);
  const Json document = parse_json(bytes, document_name);
  const Json::array_t& signatures = array_member(document, "signatures", document_name);
  if (signatures.empty()) throw Error(Kind::invalid_input, std::string(document_name) + ": no signatures");
  const Format format = parse_format(signatures.front());
  for (const Json& signature : signatures)
    if (parse_format(signature) != format)
      throw Error(Kind::invalid_input,
                  std::string(document_name) + ": conflicting formats in its signatures");
  if (format.length > bytes.size())
    throw Error(Kind::invalid_input, std::string(document_name) + ": invalid format length");
  return std::string(bytes.substr(0, format.length)) + format.tail;
}

}  // namespace lade::spec
