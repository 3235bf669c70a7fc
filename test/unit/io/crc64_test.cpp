#include "io/crc64.hpp"

#include <doctest/doctest.h>

#include "support/streams.hpp"

using namespace lade;

namespace {

std::uint64_t crc_of(std::string_view text) {
  io::Crc64 crc;
  crc.update(io::as_bytes(text));
  return crc.value();
}

}  // namespace

TEST_CASE("CRC-64 has the check values of Go's hash/crc64 with its ISO table") {
  CHECK(crc_of("") == 0);
  CHECK(crc_of("hello") == 0x3c3eeee2d8100000);
  CHECK(crc_of("123456789") == 0xb90956c775a41001);
}

TEST_CASE("CRC-64 by table agrees with the fast one, however the data is cut") {
  const std::string text = test::random_bytes(1000);
  for (std::size_t cut = 0; cut < 40; ++cut) {
    CAPTURE(cut);
    const auto bytes = io::as_bytes(text);
    io::Crc64 crc;
    crc.update(bytes.first(cut));
    CHECK(crc.value() == io::crc64_by_table(0, bytes.first(cut)));
    crc.update(bytes.subspan(cut));
    CHECK(crc.value() == io::crc64_by_table(io::crc64_by_table(0, bytes.first(cut)), bytes.subspan(cut)));
    CHECK(crc.value() == crc_of(text));
  }
}
