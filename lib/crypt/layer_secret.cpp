#include "crypt/layer_secret.hpp"

#include "base/error.hpp"
#include "config/base64.hpp"
#include "crypt/primitives.hpp"
#include "spec/json.hpp"

namespace lade::crypt {

namespace {

using spec::Json;

constexpr std::size_t max_options_size = 64 * 1024;
constexpr std::string_view private_options = "encryption secret of the layer";
constexpr std::string_view public_options = "public encryption options of the layer";

[[noreturn]] void refuse_options(std::string_view what, std::string_view reason) {
  throw Error(Kind::invalid_input, std::string(what) + ": " + std::string(reason));
}

Json parse_options(std::string_view text, std::string_view what) {
  Json document = spec::parse_json(text, what, max_options_size);
  if (!document.is_object()) refuse_options(what, "not an object");
  return document;
}

// A member with base64, decoded; "" if it is absent.
std::string data_member(const Json& object, std::string_view name, std::string_view what) {
  auto data = config::base64_decode(spec::string_member(object, name, what));
  if (!data) refuse_options(what, std::string(name) + " is not base64");
  return std::move(*data);
}

std::string nonce_of(const Json& document, std::string_view what) {
  const Json* options = spec::find_member(document, "cipheroptions");
  if (options == nullptr) return "";
  if (!options->is_object()) refuse_options(what, "cipheroptions is not an object");
  std::string nonce = data_member(*options, "nonce", what);
  if (!nonce.empty() && nonce.size() != layer_nonce_size)
    refuse_options(what, "the nonce has a wrong length");
  return nonce;
}

}  // namespace

Secret::~Secret() {
  wipe(bytes_);
}

LayerKey LayerKey::generate() {
  return {Secret(random_bytes(layer_key_size)), random_bytes(layer_nonce_size)};
}

std::string LayerSecret::serialize() const {
  Json document = {{"symkey", config::base64_encode(key.key.bytes())},
                   {"digest", digest ? digest->str() : ""},
                   {"cipheroptions", {{"nonce", config::base64_encode(key.nonce)}}}};
  return spec::dump_json(document);
}

LayerSecret LayerSecret::parse(std::string_view text) {
  const Json document = parse_options(text, private_options);
  LayerSecret secret{
      {Secret(data_member(document, "symkey", private_options)), nonce_of(document, private_options)},
      std::nullopt};
  if (secret.key.key.bytes().size() != layer_key_size)
    refuse_options(private_options, "the key has a wrong length");
  const std::string digest = spec::string_member(document, "digest", private_options);
  if (!digest.empty())
    secret.digest = in_context(private_options, [&] { return spec::Digest::parse(digest); });
  return secret;
}

std::string PublicOptions::serialize() const {
  Json document = {{"cipher", layer_cipher_name},
                   {"hmac", config::base64_encode(hmac)},
                   {"cipheroptions", Json::object()}};
  if (!nonce.empty()) document["cipheroptions"]["nonce"] = config::base64_encode(nonce);
  return spec::dump_json(document);
}

PublicOptions PublicOptions::parse(std::string_view text) {
  const Json document = parse_options(text, public_options);
  const std::string cipher = spec::string_member(document, "cipher", public_options);
  if (cipher.empty()) refuse_options(public_options, "no cipher type provided");
  if (cipher != layer_cipher_name)
    throw Error(Kind::unsupported, "unsupported cipher type: " + spec::dump_json(cipher));
  PublicOptions options{data_member(document, "hmac", public_options), nonce_of(document, public_options)};
  if (options.hmac.size() != layer_hmac_size) refuse_options(public_options, "the HMAC has a wrong length");
  return options;
}

}  // namespace lade::crypt
