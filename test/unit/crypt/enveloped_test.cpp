#include "crypt/enveloped.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "crypt/der.hpp"
#include "crypt/fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

namespace {

bool opens(const std::string& enveloped, const crypt::DecryptionKeys& keys,
           const std::string& text = "text") {
  const auto found = crypt::decrypt_enveloped(enveloped, keys);
  return std::find(found.begin(), found.end(), text) != found.end();
}

}  // namespace

TEST_CASE("EnvelopedData: the owner of each certificate reads the text, and nobody else") {
  const auto one = certificate_of(rsa_key(), 1), two = certificate_of(other_rsa_key(), 2);
  const std::string enveloped = crypt::encrypt_enveloped("text", {one, two});
  CHECK(opens(enveloped, {{rsa_key()}, {}}));
  CHECK(opens(enveloped, {{other_rsa_key()}, {}}));
  CHECK_FALSE(opens(enveloped, {{make_rsa_key()}, {}}));
  CHECK_FALSE(opens(enveloped, {{ec_key()}, {}}));
}

TEST_CASE("EnvelopedData: with a certificate, only its recipient is tried") {
  const auto one = certificate_of(rsa_key(), 1), two = certificate_of(rsa_key(), 2);
  const std::string enveloped = crypt::encrypt_enveloped("text", {one});
  CHECK(opens(enveloped, {{rsa_key()}, {one}}));
  CHECK(opens(enveloped, {{rsa_key()}, {two, one}}));
  CHECK_FALSE(opens(enveloped, {{rsa_key()}, {two}}));
}

TEST_CASE("EnvelopedData: OpenSSL reads it") {
  const auto certificate = certificate_of(rsa_key());
  const std::string enveloped = crypt::encrypt_enveloped("text", {certificate});
  const crypt::CmsHandle cms(d2i_CMS_bio(crypt::bio_of(enveloped).get(), nullptr));
  REQUIRE(cms);
  const crypt::BioHandle out(BIO_new(BIO_s_mem()));
  CHECK(CMS_decrypt(cms.get(), rsa_key().get(), certificate.get(), nullptr, out.get(), 0) == 1);
  CHECK(crypt::text_in(out.get()) == "text");
}

TEST_CASE("EnvelopedData: what is none is refused wherever it ends") {
  const std::string enveloped = crypt::encrypt_enveloped("text", {certificate_of(rsa_key())});
  for (std::size_t size = 0; size < enveloped.size(); size += 7) {
    CAPTURE(size);
    CHECK(kind_of([&] {
            crypt::decrypt_enveloped(enveloped.substr(0, size), {{rsa_key()}, {}});
          }) == Kind::invalid_input);
  }
  CHECK(kind_of([] { crypt::decrypt_enveloped("\x30\x80\x06\x01\x2A", {}); }) == Kind::invalid_input);
  CHECK(kind_of([] { crypt::decrypt_enveloped(std::string(2 << 20, '0'), {}); }) == Kind::invalid_input);
}

TEST_CASE("DER: lengths past the end, of many bytes, and tags of several bytes are refused") {
  for (const std::string bytes : {"\x04\x05"
                                  "abc",
                                  "\x04\x85\x01\x01\x01\x01\x01", "\x1F\x81\x01\x01", "\x04", "\x04\x82\x01"})
    CHECK(kind_of([&] { crypt::DerReader(bytes).read(); }) == Kind::invalid_input);
  crypt::DerReader reader(
      "\x04\x03"
      "abc\x02\x01\x05");
  CHECK(reader.read(crypt::der::octet_string) == "abc");
  CHECK(kind_of([&] { reader.read(crypt::der::sequence); }) == Kind::invalid_input);
  CHECK(reader.read(crypt::der::integer) == "\x05");
  CHECK(reader.at_end());
}
