// pax extended headers: "<length> <key>=<value>\n" records (POSIX.1-2001 pax, "pax Extended Header").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_header.hpp"

namespace lade::archive {

// All of them invalid: Kind::invalid_input "invalid tar header: ...".
[[noreturn]] void throw_invalid_tar(std::string_view why);

// A later record of a key wins; an empty value removes the key. Offsets and sizes of GNU sparse format 0.0,
// whose keys repeat, become one "GNU.sparse.map" of format 0.1.
PaxRecords parse_pax(std::string_view data);
// Sorted by key.
std::string format_pax(const PaxRecords& records);

// "1350244992.023960108", also negative; digits after the ninth are dropped.
TarTime parse_pax_time(std::string_view text);
std::string format_pax_time(const TarTime& time);

// Decimal, not negative, below 2^63.
std::uint64_t parse_pax_number(std::string_view text);

}  // namespace lade::archive
