// Names of things in the store: IDs, links and files of big data.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "spec/digest.hpp"

namespace lade::store {

// 64 lower-case hex digits; drawn again while the first 12 are all decimal, which could be taken for a
// number.
std::string random_id();
std::string random_bytes(std::size_t count);
// Of RFC 4648's base32 alphabet.
std::string random_link_name();

bool is_id(std::string_view text);  // 64 lower-case hex digits

// The ID of a layer on top of `parent` ("" for none): layers of equal content on equal parents are the same.
// `diff_id` MUST be SHA-256.
std::string layer_id(std::string_view parent, const spec::Digest& diff_id);

// The file that holds an item of big data. Kind::invalid_input for a key that has none: "", or one whose
// encoded form holds a '/'.
std::string big_data_file_name(std::string_view key);

// The time as RFC 3339 in UTC, with nanoseconds, as Go writes it.
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace lade::store
