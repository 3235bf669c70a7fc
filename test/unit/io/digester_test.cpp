#include "io/digester.hpp"

#include <doctest/doctest.h>

#include "support/streams.hpp"

using namespace lade;
using namespace lade::io;
using Algorithm = spec::Digest::Algorithm;

namespace {

// FIPS 180-4 examples.
constexpr auto sha256_abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr auto sha256_empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr auto sha512_abc =
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

}  // namespace

TEST_CASE("the digest of a text is the one of the standard") {
  CHECK(digest_of("abc").str() == sha256_abc);
  CHECK(digest_of("").str() == sha256_empty);
  CHECK(digest_of("abc", Algorithm::sha512).str() == sha512_abc);
}

TEST_CASE("a digester gives the same digest however its input is cut") {
  const std::string text = test::random_bytes(100'000);
  for (const std::size_t step : {1UL, 63UL, 64UL, 65'536UL}) {
    CAPTURE(step);
    Digester digester;
    for (std::size_t i = 0; i < text.size(); i += step) {
      digester.update(as_bytes(std::string_view(text).substr(i, step)));
    }
    CHECK(digester.finish() == digest_of(text));
  }
}

TEST_CASE("a digester that was fed nothing gives the digest of nothing") {
  CHECK(Digester().finish().str() == sha256_empty);
}

TEST_CASE("a moved digester goes on where it was") {
  Digester first(Algorithm::sha512);
  first.update(as_bytes("a"));
  Digester second = std::move(first);
  second.update(as_bytes("bc"));
  CHECK(second.finish().str() == sha512_abc);
}
