#include "crypt/jwk.hpp"

#include <array>
#include <deque>

#include "base/error.hpp"
#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"
#include "spec/base64.hpp"

namespace lade::crypt {

namespace {

using spec::Json;

struct Curve {
  std::string_view name;  // of JWK
  const char* group;      // of OpenSSL
  std::size_t coordinate_size;
};

constexpr std::array<Curve, 3> curves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};
constexpr std::size_t max_number_size = 2048;  // an RSA key of 16384 bits

[[noreturn]] void refuse_jwk(std::string_view reason) {
  throw Error(Kind::invalid_input, "JWK: " + std::string(reason));
}

// "" if absent.
std::string number_member(const Json& jwk, std::string_view name) {
  const std::string text = spec::string_member(jwk, name, "JWK");
  auto bytes = spec::base64url_decode(text);
  if (!bytes || bytes->size() > max_number_size)
    refuse_jwk(std::string(name) + " is not a number in base64url");
  return std::move(*bytes);
}

BignumHandle bignum_of(std::string_view bytes) {
  return BignumHandle(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// The parameters of one key. Values are kept until they are used: the builder only refers to them.
class KeyParameters {
 public:
  KeyParameters() : builder_(OSSL_PARAM_BLD_new()) {}

  void number(const char* name, std::string_view bytes) {
    numbers_.push_back(bignum_of(bytes));
    if (!numbers_.back() || OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get()) != 1)
      throw_openssl("JWK");
  }
  void text(const char* name, const char* value) {
    if (OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, value, 0) != 1) throw_openssl("JWK");
  }
  void bytes(const char* name, std::string bytes) {
    const std::string& value = texts_.emplace_back(std::move(bytes));
    if (OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, value.data(), value.size()) != 1)
      throw_openssl("JWK");
  }

  Key make(const char* type, bool is_private) {
    const ParametersHandle parameters(OSSL_PARAM_BLD_to_param(builder_.get()));
    const KeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          parameters.get()) != 1) {
      ERR_clear_error();
      refuse_jwk("its numbers are no key");
    }
    return Key(key, EVP_PKEY_free);
  }

 private:
  std::unique_ptr<OSSL_PARAM_BLD, FreeBy<OSSL_PARAM_BLD_free>> builder_;
  std::vector<BignumHandle> numbers_;
  std::deque<std::string> texts_;
};

Jwk parse_rsa_jwk(const Json& jwk) {
  const std::string n = number_member(jwk, "n"), e = number_member(jwk, "e"), d = number_member(jwk, "d");
  if (n.empty() || e.empty()) refuse_jwk("n or e is missing");
  KeyParameters parameters;
  parameters.number(OSSL_PKEY_PARAM_RSA_N, n);
  parameters.number(OSSL_PKEY_PARAM_RSA_E, e);
  if (d.empty()) return {parameters.make("RSA", false), false, "", ""};

  parameters.number(OSSL_PKEY_PARAM_RSA_D, d);
  constexpr std::array<std::pair<const char*, const char*>, 5> optional{
      {{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
       {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
       {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
       {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
       {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};
  std::array<std::string, optional.size()> factors;
  bool complete = true;
  for (std::size_t i = 0; i < optional.size(); ++i) {
    factors[i] = number_member(jwk, optional[i].first);
    complete = complete && !factors[i].empty();
  }
  for (std::size_t i = 0; complete && i < optional.size(); ++i)
    parameters.number(optional[i].second, factors[i]);
  return {parameters.make("RSA", true), true, "", ""};
}

Jwk parse_ec_jwk(const Json& jwk) {
  const std::string name = spec::string_member(jwk, "crv", "JWK");
  for (const Curve& curve : curves) {
    if (curve.name != name) continue;
    const std::string x = number_member(jwk, "x"), y = number_member(jwk, "y"), d = number_member(jwk, "d");
    if (x.size() != curve.coordinate_size || y.size() != curve.coordinate_size)
      refuse_jwk("a coordinate has a wrong length");
    if (d.size() > curve.coordinate_size) refuse_jwk("d has a wrong length");
    KeyParameters parameters;
    parameters.text(OSSL_PKEY_PARAM_GROUP_NAME, curve.group);
    parameters.bytes(OSSL_PKEY_PARAM_PUB_KEY, '\x04' + x + y);
    if (!d.empty()) parameters.number(OSSL_PKEY_PARAM_PRIV_KEY, d);
    Key key = parameters.make("EC", !d.empty());
    // A point that is not on the curve would tell an attacker about the other side's key.
    const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    if (!context || EVP_PKEY_public_check(context.get()) != 1) {
      ERR_clear_error();
      refuse_jwk("the point is not on the curve");
    }
    return {std::move(key), !d.empty(), "", ""};
  }
  refuse_jwk("unsupported curve " + spec::dump_json(name));
}

}  // namespace

Jwk parse_jwk(const Json& jwk) {
  if (!jwk.is_object()) refuse_jwk("not an object");
  const std::string type = spec::string_member(jwk, "kty", "JWK");
  if (type != "RSA" && type != "EC") refuse_jwk("unsupported kind of key " + spec::dump_json(type));
  Jwk result = type == "RSA" ? parse_rsa_jwk(jwk) : parse_ec_jwk(jwk);
  result.algorithm = spec::string_member(jwk, "alg", "JWK");
  result.key_id = spec::string_member(jwk, "kid", "JWK");
  return result;
}

Json ec_public_jwk(const Key& key) {
  for (const Curve& curve : curves) {
    if (curve.name != curve_of(key)) continue;
    Json jwk = {{"kty", "EC"}, {"crv", curve.name}};
    for (const auto& [member, name] :
         {std::pair{"x", OSSL_PKEY_PARAM_EC_PUB_X}, {"y", OSSL_PKEY_PARAM_EC_PUB_Y}}) {
      BIGNUM* number = nullptr;
      if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) throw_openssl("EC key");
      const BignumHandle owner(number);
      std::string bytes(curve.coordinate_size, '\0');
      if (BN_bn2binpad(number, bytes_of(bytes), static_cast<int>(bytes.size())) < 0) throw_openssl("EC key");
      jwk[member] = spec::base64url_encode(bytes);
    }
    return jwk;
  }
  refuse_jwk("unsupported curve");
}

bool is_rsa(const Key& key) {
  return EVP_PKEY_is_a(key.get(), "RSA") == 1;
}

std::string_view curve_of(const Key& key) {
  char group[80] = {};
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) !=
          1) {
    ERR_clear_error();
    return "";
  }
  for (const Curve& curve : curves) {
    if (std::string_view(group) == curve.group) return curve.name;
  }
  return "";
}

Key generate_ec_key(std::string_view name) {
  for (const Curve& curve : curves) {
    if (curve.name != name) continue;
    EVP_PKEY* key = EVP_EC_gen(curve.group);
    if (key == nullptr) throw_openssl("making an EC key");
    return Key(key, EVP_PKEY_free);
  }
  throw Error(Kind::unsupported, "unsupported curve " + std::string(name));
}

}  // namespace lade::crypt
