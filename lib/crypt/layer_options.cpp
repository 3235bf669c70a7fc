#include "crypt/layer_options.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "crypt/enveloped.hpp"
#include "crypt/jwe.hpp"
#include "crypt/primitives.hpp"

namespace lade::crypt {

namespace {

constexpr std::string_view encryption_prefix = "org.opencontainers.image.enc.";
constexpr std::string_view keys_prefix = "org.opencontainers.image.enc.keys.";
constexpr const char* jwe_annotation = "org.opencontainers.image.enc.keys.jwe";
constexpr const char* pkcs7_annotation = "org.opencontainers.image.enc.keys.pkcs7";
constexpr const char* public_annotation = "org.opencontainers.image.enc.pubopts";
constexpr std::size_t max_wrapped_keys = 64;

std::string decode_annotation(std::string_view name, std::string_view text) {
  auto bytes = config::base64_decode(text);
  if (!bytes)
    throw Error(Kind::invalid_input, std::string(name) + ": could not base64 decode the annotation");
  return std::move(*bytes);
}

// The first of the wrapped keys of an annotation that gives something; they stand in a row with commas
// between them. One that cannot be read does not keep the others from being tried.
std::optional<LayerSecret> open_first(
    std::string_view name, std::string_view text,
    const std::function<std::optional<LayerSecret>(const std::string&)>& open) {
  std::optional<Error> failure;
  std::size_t count = 0;
  for (std::size_t start = 0; start <= text.size();) {
    if (++count > max_wrapped_keys)
      throw Error(Kind::invalid_input, std::string(name) + ": too many wrapped keys");
    const std::size_t comma = std::min(text.find(',', start), text.size());
    try {
      if (auto secret = open(decode_annotation(name, text.substr(start, comma - start)))) return secret;
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
    start = comma + 1;
  }
  if (failure) throw Error(*failure);
  return std::nullopt;
}

std::optional<LayerSecret> open_jwe(const std::string& jwe, const DecryptionKeys& keys) {
  auto plain = decrypt_jwe(jwe, keys.keys);
  if (!plain) return std::nullopt;
  const Secret owner(std::move(*plain));
  return LayerSecret::parse(owner.bytes());
}

std::optional<LayerSecret> open_pkcs7(const std::string& enveloped, const DecryptionKeys& keys) {
  std::optional<LayerSecret> secret;
  for (std::string& plain : decrypt_enveloped(enveloped, keys)) {
    const Secret owner(std::move(plain));
    try {
      if (!secret) secret = LayerSecret::parse(owner.bytes());
    } catch (const Error&) {
      continue;  // another key's, which AES-CBC does not tell
    }
  }
  return secret;
}

[[noreturn]] void refuse_closed(const spec::Annotations& annotations) {
  std::string unknown;
  for (const auto& [name, value] : annotations) {
    if (!name.starts_with(keys_prefix) || value.empty()) continue;
    if (name == jwe_annotation || name == pkcs7_annotation)
      throw Error(Kind::denied,
                  "no suitable key unwrapper found or none of the private keys could be used for decryption");
    unknown += (unknown.empty() ? "" : ", ") + name.substr(keys_prefix.size());
  }
  if (unknown.empty()) throw Error(Kind::invalid_input, "missing Annotations needed for decryption");
  throw Error(Kind::unsupported,
              "the layer's key is wrapped by " + unknown + " only, which is not supported");
}

}  // namespace

spec::Annotations encryption_annotations(const LayerSecret& secret, const std::string& hmac,
                                         const Recipients& recipients) {
  const Secret plain(secret.serialize());
  spec::Annotations annotations;
  if (!recipients.jwe.empty())
    annotations[jwe_annotation] = config::base64_encode(encrypt_jwe(plain.bytes(), recipients.jwe));
  if (!recipients.pkcs7.empty())
    annotations[pkcs7_annotation] = config::base64_encode(encrypt_enveloped(plain.bytes(), recipients.pkcs7));
  if (annotations.empty()) throw Error(Kind::invalid_input, "no wrapped keys produced by encryption");
  annotations[public_annotation] = config::base64_encode(PublicOptions{hmac, ""}.serialize());
  return annotations;
}

spec::Annotations without_encryption(const spec::Annotations& annotations) {
  spec::Annotations kept = annotations;
  std::erase_if(kept, [](const auto& annotation) { return annotation.first.starts_with(encryption_prefix); });
  return kept;
}

OpenedLayer open_layer(const spec::Annotations& annotations, const DecryptionKeys& keys) {
  const auto value = [&](const char* name) {
    const auto found = annotations.find(name);
    return found == annotations.end() ? std::string() : found->second;
  };
  std::optional<LayerSecret> secret;
  if (const std::string jwe = value(jwe_annotation); !jwe.empty())
    secret = open_first(jwe_annotation, jwe, [&](const auto& one) { return open_jwe(one, keys); });
  if (const std::string pkcs7 = value(pkcs7_annotation); !secret && !pkcs7.empty())
    secret = open_first(pkcs7_annotation, pkcs7, [&](const auto& one) { return open_pkcs7(one, keys); });
  if (!secret) refuse_closed(annotations);

  const auto options = PublicOptions::parse(decode_annotation(public_annotation, value(public_annotation)));
  if (!options.nonce.empty()) secret->key.nonce = options.nonce;
  if (secret->key.nonce.empty()) throw Error(Kind::invalid_input, "the layer has no nonce");
  return {std::move(*secret), options.hmac};
}

}  // namespace lade::crypt
