#include "archive/pax.hpp"

#include <charconv>
#include <limits>

#include "base/error.hpp"

namespace lade::archive {

namespace {

constexpr std::string_view sparse_offset_key = "GNU.sparse.offset";
constexpr std::string_view sparse_size_key = "GNU.sparse.numbytes";
constexpr std::string_view sparse_map_key = "GNU.sparse.map";

template <class T>
T parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw_invalid_tar("malformed number");
  return value;
}

struct Record {
  std::string_view key;
  std::string_view value;
};

// Cuts one record off the front.
Record next_record(std::string_view& data) {
  const auto space = data.find(' ');
  if (space == std::string_view::npos) throw_invalid_tar("malformed pax record");
  const auto length = parse_number<std::uint64_t>(data.substr(0, space));
  if (length > data.size() || length < space + 3 || data[length - 1] != '\n') {
    throw_invalid_tar("malformed pax record");
  }
  const auto body = data.substr(space + 1, length - space - 2);
  const auto equals = body.find('=');
  if (equals == std::string_view::npos || equals == 0) throw_invalid_tar("malformed pax record");
  data.remove_prefix(length);
  return {body.substr(0, equals), body.substr(equals + 1)};
}

// Names end up in system calls.
void check_value(const Record& record) {
  const bool is_name = record.key == "path" || record.key == "linkpath" || record.key == "uname" ||
                       record.key == "gname" || record.key == "GNU.sparse.name";
  if (is_name && record.value.find('\0') != std::string_view::npos) throw_invalid_tar("NUL in a name");
  if (record.key.find('\0') != std::string_view::npos) throw_invalid_tar("NUL in a pax key");
}

}  // namespace

void throw_invalid_tar(std::string_view why) {
  throw Error(Kind::invalid_input, "invalid tar header: " + std::string(why));
}

PaxRecords parse_pax(std::string_view data) {
  PaxRecords records;
  std::string sparse_map;
  bool expect_offset = true;
  while (!data.empty()) {
    const Record record = next_record(data);
    check_value(record);
    if (record.key == sparse_offset_key || record.key == sparse_size_key) {
      if ((record.key == sparse_offset_key) != expect_offset) throw_invalid_tar("malformed sparse map");
      expect_offset = !expect_offset;
      if (record.value.find(',') != std::string_view::npos) throw_invalid_tar("malformed sparse map");
      if (!sparse_map.empty()) sparse_map += ',';
      sparse_map += record.value;
    } else if (record.value.empty()) {
      records.erase(std::string(record.key));
    } else {
      records.insert_or_assign(std::string(record.key), std::string(record.value));
    }
  }
  if (!sparse_map.empty()) records.insert_or_assign(std::string(sparse_map_key), std::move(sparse_map));
  return records;
}

std::string format_pax(const PaxRecords& records) {
  std::string result;
  for (const auto& [key, value] : records) {
    // The length counts itself.
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + std::to_string(rest).size();
    length = rest + std::to_string(length).size();
    result += std::to_string(length) + " " + key + "=" + value + "\n";
  }
  return result;
}

TarTime parse_pax_time(std::string_view text) {
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  TarTime time{parse_number<std::int64_t>(whole), 0};
  if (dot == std::string_view::npos) return time;
  std::string digits(text.substr(dot + 1));
  if (digits.find_first_not_of("0123456789") != std::string::npos) throw_invalid_tar("malformed time");
  digits.resize(9, '0');
  time.nanoseconds = parse_number<std::uint32_t>(digits);
  if (whole.starts_with('-') && time.nanoseconds != 0) {
    // -0.25 is a quarter of a second before zero.
    if (time.seconds == std::numeric_limits<std::int64_t>::min()) throw_invalid_tar("malformed time");
    time = {time.seconds - 1, 1'000'000'000 - time.nanoseconds};
  }
  return time;
}

std::string format_pax_time(const TarTime& time) {
  if (time.nanoseconds == 0) return std::to_string(time.seconds);
  const bool negative = time.seconds < 0;
  const auto seconds = negative ? time.seconds + 1 : time.seconds;
  const auto fraction = negative ? 1'000'000'000 - time.nanoseconds : time.nanoseconds;
  std::string digits = std::to_string(fraction);
  digits.insert(0, 9 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return (negative && seconds == 0 ? "-0" : std::to_string(seconds)) + "." + digits;
}

std::uint64_t parse_pax_number(std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (value < 0) throw_invalid_tar("negative number");
  return static_cast<std::uint64_t>(value);
}

}  // namespace lade::archive
