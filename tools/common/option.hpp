// One option of a command. The same table makes parsing, --help, the man page's OPTIONS and the completions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::common {

enum class ValueKind {
  boolean,  // --x, --x=false; may also be asked whether it was given at all
  text,
  integer,
  unsigned_integer,
  duration,  // Go's: 1h2m3.5s
  size,      // bytes: 1048576, 1MiB, 10M (powers of 1024), 5MB (powers of 1000)
  list,      // may be repeated; each value is split at commas, as pflag does
  texts,             // may be repeated; each value is taken as it is
};

struct Option {
  std::string name;     // without dashes
  char short_name = 0;  // 0: none
  ValueKind kind = ValueKind::boolean;
  std::string value_name = {};  // in --help; "": named after the kind, as pflag does
  std::string help = {};
  std::string group = {};  // heading in --help; "": "Flags"
  bool hidden = false;
  std::vector<std::string> aliases = {};  // old names, never shown
  std::vector<std::string> choices = {};  // for completions; parsing does not check them
  // What the option means without a value, which then takes "=" (--pull, --pull=never). "": one is needed.
  std::string bare = {};
  // What a person is told who gives the option: it is known, but cannot be had yet. "": it can.
  std::string unavailable = {};
};

// "PATH", or "string", "int", "uint", "duration", "size", "strings"; "" for a boolean.
std::string shown_value_name(const Option& option);

// "-a, --all" or "--format", as in pflag's messages.
std::string flag_spelling(const Option& option);

// Appends `more` to `options`: tables are composed of groups.
void append(std::vector<Option>& options, std::vector<Option> more);

}  // namespace lade::common
