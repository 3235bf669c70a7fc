#include "trust/rekor.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "trust/openssl_handles.hpp"

namespace lade::trust {

namespace {

using spec::Json;

constexpr std::string_view what_set = "Rekor SET";

[[noreturn]] void refuse_set(const std::string& why) {
  throw Error(Kind::denied, why);
}

const Json& member_of_set(const Json& object, const std::string& name) {
  const auto* member = object.is_object() ? spec::find_member(object, name) : nullptr;
  if (member == nullptr) refuse_set("Missing \"" + name + "\" field in Rekor SET");
  return *member;
}

std::string text_in_set(const Json& object, const std::string& name) {
  const Json& member = member_of_set(object, name);
  if (!member.is_string()) refuse_set(name + " in Rekor SET is not a string");
  return member.get<std::string>();
}

std::string bytes_in_set(const Json& object, const std::string& name) {
  auto bytes = config::base64_decode(text_in_set(object, name));
  if (!bytes) refuse_set(name + " in Rekor SET is not base64");
  return *std::move(bytes);
}

void check_members(const Json& object, const std::vector<std::string>& names) {
  if (!object.is_object() || object.size() != names.size()) refuse_set("unexpected members in Rekor SET");
  for (const auto& name : names) member_of_set(object, name);
}

std::uint64_t number_in_set(const Json& object, const std::string& name) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 53;  // what JSON's canonical form can express exactly
  const Json& member = member_of_set(object, name);
  if (!member.is_number_unsigned() || member.get<std::uint64_t>() >= limit)
    refuse_set(name + " in Rekor SET is not a number");
  return member.get<std::uint64_t>();
}

std::string plain_text_in_set(const Json& object, const std::string& name) {
  std::string text = text_in_set(object, name);
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '/' || c == '=';
  });
  if (!plain) refuse_set(name + " in Rekor SET has characters that do not belong there");
  return text;
}

// RFC 8785 for this one kind of object, whose texts need no escapes: exactly what the log signed.
std::string canonical_payload(const Json& payload) {
  check_members(payload, {"body", "integratedTime", "logIndex", "logID"});
  return "{\"body\":\"" + plain_text_in_set(payload, "body") +
         "\",\"integratedTime\":" + std::to_string(number_in_set(payload, "integratedTime")) +
         ",\"logID\":\"" + plain_text_in_set(payload, "logID") +
         "\",\"logIndex\":" + std::to_string(number_in_set(payload, "logIndex")) + "}";
}

// The bytes in the one block of PEM.
std::string pem_content(std::string_view pem, const std::string& of) {
  const auto bio = bio_of(pem);
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (!bio || PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
    ERR_clear_error();
    refuse_set(of + " is not in PEM format");
  }
  std::string content(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  char rest = 0;
  while (BIO_read(bio.get(), &rest, 1) == 1)
    if (rest != '\n' && rest != '\r') refuse_set(of + " has trailing data");
  return content;
}

void check_entry(const Json& entry, const LoggedSignature& logged) {
  if (text_in_set(entry, "kind") != "hashedrekord") refuse_set("the Rekor SET is not about a hashedrekord");
  const std::string version = text_in_set(entry, "apiVersion");
  if (version != "0.0.1") refuse_set("unsupported Rekor SET Payload hashedrekord version " + version);
  const Json& spec = member_of_set(entry, "spec");
  const Json& signature = member_of_set(spec, "signature");
  const std::string key = bytes_in_set(member_of_set(signature, "publicKey"), "content");
  if (pem_content(key, "publicKey in Rekor SET") != pem_content(logged.key_or_certificate, "the key"))
    refuse_set("publicKey in Rekor SET does not match");
  if (config::base64_decode(logged.base64_signature) != bytes_in_set(signature, "content"))
    refuse_set("signature in Rekor SET does not match");
  const Json& hash = member_of_set(member_of_set(spec, "data"), "hash");
  if (text_in_set(hash, "algorithm") != "sha256") refuse_set("unexpected hash algorithm in Rekor SET");
  if (text_in_set(hash, "value") != io::digest_of(logged.payload).hex())
    refuse_set("payload in Rekor SET does not match");
}

std::int64_t verify_set(const std::vector<PublicKey>& keys, std::string_view bundle,
                        const LoggedSignature& logged) {
  const Json set = spec::parse_json(bundle, what_set);
  check_members(set, {"SignedEntryTimestamp", "Payload"});
  const Json& payload = member_of_set(set, "Payload");
  const std::string canonical = canonical_payload(payload);
  const std::string promise = bytes_in_set(set, "SignedEntryTimestamp");
  const auto is_signed_by = [&](const PublicKey& key) { return key.verify(canonical, promise); };
  if (std::ranges::none_of(keys, is_signed_by))
    refuse_set("cryptographic signature verification of Rekor SET failed");
  check_entry(spec::parse_json(bytes_in_set(payload, "body"), what_set), logged);
  return static_cast<std::int64_t>(number_in_set(payload, "integratedTime"));
}

}  // namespace

std::int64_t verify_rekor_set(const std::vector<PublicKey>& keys, std::string_view bundle,
                              const LoggedSignature& logged) {
  try {
    return verify_set(keys, bundle, logged);
  } catch (const Error& error) {
    if (error.kind() == Kind::denied) throw;
    refuse_set(error.what());
  }
}

}  // namespace lade::trust
