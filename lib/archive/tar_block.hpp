// The fixed fields of a 512-byte tar header: where they are, and how numbers are written in them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "archive/tar_header.hpp"

namespace lade::archive {

struct TarField {
  std::size_t offset;
  std::size_t size;
};

namespace field {
inline constexpr TarField name{0, 100};
inline constexpr TarField mode{100, 8};
inline constexpr TarField uid{108, 8};
inline constexpr TarField gid{116, 8};
inline constexpr TarField size{124, 12};
inline constexpr TarField mtime{136, 12};
inline constexpr TarField checksum{148, 8};
inline constexpr TarField type{156, 1};
inline constexpr TarField link{157, 100};
inline constexpr TarField magic{257, 8};  // with the version
inline constexpr TarField user{265, 32};
inline constexpr TarField group{297, 32};
inline constexpr TarField device_major{329, 8};
inline constexpr TarField device_minor{337, 8};
inline constexpr TarField prefix{345, 155};       // ustar
inline constexpr TarField star_prefix{345, 131};  // Schilling's star
inline constexpr TarField star_trailer{508, 4};
inline constexpr TarField gnu_sparse{386, 96};  // four extents
inline constexpr TarField gnu_extended{482, 1};
inline constexpr TarField gnu_real_size{483, 12};
inline constexpr TarField gnu_block_sparse{0, 504};  // of a continuation block: 21 extents
inline constexpr TarField gnu_block_extended{504, 1};
}  // namespace field

inline constexpr std::string_view ustar_magic{"ustar\00000", 8};
inline constexpr std::string_view gnu_magic{"ustar  \0", 8};

// The whole field, NULs and all.
std::string_view raw_field(const TarBlock& block, TarField field);
// Up to the first NUL.
std::string_view text_field(const TarBlock& block, TarField field);
// Octal, or base-256 if the first bit is set; blanks and NULs around are ignored, an empty field is 0.
std::int64_t number_field(const TarBlock& block, TarField field);

bool fits_octal(TarField field, std::int64_t value);
// Leading zeros and a NUL at the end. The value MUST fit.
void set_octal(TarBlock& block, TarField field, std::int64_t value);
void set_text(TarBlock& block, TarField field, std::string_view text);

bool is_zero(const TarBlock& block);
// Unsigned, or as signed bytes as ancient tars computed it.
bool checksum_matches(const TarBlock& block);
void set_checksum(TarBlock& block);

}  // namespace lade::archive
