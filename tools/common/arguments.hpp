// Command lines by the rules of Go's pflag, which skopeo, buildah and podman use:
// --x=v, --x v, -xv, -x v, -x=v, grouped -abc, --bool=false, "--", options between arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/option.hpp"

namespace lade::common {

// The values given for the options of one table. Asking for a name that is not in the table is a mistake in
// the program and throws std::logic_error.
class Flags {
 public:
  Flags() = default;
  Flags(std::span<const Option> options, std::map<std::string, std::vector<std::string>> values);

  // Whether the table has it at all: for code that many commands share.
  bool has(std::string_view name) const { return values_.contains(name); }
  bool given(std::string_view name) const;
  bool flag(std::string_view name) const { return find_flag(name).value_or(false); }
  std::optional<bool> find_flag(std::string_view name) const;
  std::string text(std::string_view name) const { return find_text(name).value_or(""); }
  std::optional<std::string> find_text(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  std::optional<std::int64_t> find_integer(std::string_view name) const;
  std::optional<std::uint64_t> find_unsigned(std::string_view name) const;
  std::optional<std::uint64_t> find_size(std::string_view name) const;
  std::optional<std::chrono::nanoseconds> find_duration(std::string_view name) const;

 private:
  const std::vector<std::string>& values_of(std::string_view name) const;
  const std::string* last(std::string_view name) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values_;  // every name of the table is a key
};

enum class Interspersed { yes, stop_at_first_argument };

struct Arguments {
  Flags flags;
  std::vector<std::string> positional;
  // stop_at_first_argument: where in `args` the first argument stands; else args.size().
  std::size_t stopped_at = 0;
};

// Kind::invalid_input with pflag's texts: "unknown flag: --x", "unknown shorthand flag: 'x' in -x",
// "flag needs an argument: --x", "bad flag syntax: --=", `invalid argument "x" for "--y" flag: ...`;
// and for Option::unavailable "--x: <why>". Near misses are suggested at the end of the text.
Arguments parse_arguments(std::span<const Option> options, std::span<const std::string> args,
                          Interspersed interspersed = Interspersed::yes);

}  // namespace lade::common
