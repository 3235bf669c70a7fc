#include "common/arguments.hpp"

#include <fmt/format.h>

#include <functional>
#include <stdexcept>

#include "base/error.hpp"
#include "common/go_text.hpp"
#include "common/parse_values.hpp"
#include "common/suggest.hpp"

namespace lade::common {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

// Throws if `value` is not of the option's kind.
void check_value(const Option& option, const std::string& value) {
  try {
    switch (option.kind) {
      case ValueKind::boolean: parse_bool(value); break;
      case ValueKind::integer: parse_int(value); break;
      case ValueKind::unsigned_integer: parse_uint(value); break;
      case ValueKind::duration: parse_duration(value); break;
      case ValueKind::size: parse_size(value); break;
      case ValueKind::text:
      case ValueKind::list:
      case ValueKind::texts: break;
    }
  } catch (Error& error) {
    error.add_context(
        fmt::format("invalid argument {} for {} flag", quote(value), quote(flag_spelling(option))));
    throw;
  }
}

// Walks a command line once and writes down what was given as canonical --name=value pairs.
class Normaliser {
 public:
  Normaliser(std::span<const Option> options, std::span<const std::string> args, Interspersed interspersed)
      : options_(options), args_(args), interspersed_(interspersed) {}

  void run() {
    while (at_ < args_.size()) {
      const std::string& arg = args_[at_];
      if (arg == "--") {
        positional.insert(positional.end(), args_.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                          args_.end());
        at_ = args_.size();
      } else if (arg.starts_with("--")) {
        ++at_;
        long_option(std::string_view(arg).substr(2));
      } else if (arg.size() > 1 && arg[0] == '-') {
        ++at_;
        short_options(std::string_view(arg).substr(1));
      } else if (interspersed_ == Interspersed::stop_at_first_argument) {
        return;
      } else {
        positional.push_back(arg);
        ++at_;
      }
    }
  }

  std::size_t position() const { return at_; }

  std::vector<GivenValue> given;
  std::vector<std::string> positional;

 private:
  void long_option(std::string_view text) {
    if (text.empty() || text[0] == '-' || text[0] == '=') refuse(fmt::format("bad flag syntax: --{}", text));
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Option* option = find_long(name);
    if (option == nullptr) refuse(fmt::format("unknown flag: --{}{}", name, hint(name)));
    if (equals != std::string_view::npos) {
      add(*option, std::string(text.substr(equals + 1)));
    } else if (option->kind == ValueKind::boolean) {
      add(*option, "true");
    } else if (!option->bare.empty()) {
      add(*option, option->bare);
    } else {
      add(*option, next_argument([&] { return fmt::format("--{}", name); }));
    }
  }

  void short_options(std::string_view group) {
    for (std::string_view rest = group; !rest.empty();) {
      const char name = rest[0];
      const Option* option = find_short(name);
      if (option == nullptr) refuse(fmt::format("unknown shorthand flag: '{}' in -{}", name, rest));
      rest.remove_prefix(1);
      if (rest.size() > 1 && rest[0] == '=') {
        add(*option, std::string(rest.substr(1)));
        return;
      }
      if (option->kind == ValueKind::boolean) {
        add(*option, "true");
        continue;
      }
      add(*option, rest.empty() ? next_argument([&] { return fmt::format("'{}' in -{}", name, group); })
                                : std::string(rest));
      return;
    }
  }

  std::string next_argument(const std::function<std::string()>& spelling) {
    if (at_ == args_.size()) refuse("flag needs an argument: " + spelling());
    return args_[at_++];
  }

  void add(const Option& option, std::string value) {
    if (!option.unavailable.empty()) {
      throw Error(Kind::unsupported, fmt::format("--{}: {}", option.name, option.unavailable));
    }
    check_value(option, value);
    if (option.kind != ValueKind::list) {
      given.push_back({option.name, std::move(value)});
      return;
    }
    for (std::size_t start = 0; start <= value.size();) {
      const std::size_t comma = std::min(value.find(',', start), value.size());
      given.push_back({option.name, value.substr(start, comma - start)});
      start = comma + 1;
    }
  }

  const Option* find_long(std::string_view name) const {
    for (const Option& option : options_) {
      if (option.name == name) return &option;
      for (const std::string& alias : option.aliases) {
        if (alias == name) return &option;
      }
    }
    return nullptr;
  }

  const Option* find_short(char name) const {
    for (const Option& option : options_) {
      if (option.short_name == name) return &option;
    }
    return nullptr;
  }

  std::string hint(std::string_view name) const {
    std::vector<std::string> names;
    for (const Option& option : options_) {
      if (!option.hidden) names.push_back(option.name);
    }
    const auto near = suggestions(name, names);
    return near.empty() ? "" : fmt::format(" (did you mean --{}?)", near.front());
  }

  std::span<const Option> options_;
  std::span<const std::string> args_;
  Interspersed interspersed_;
  std::size_t at_ = 0;
};

}  // namespace

Arguments parse_arguments(std::span<const Option> options, std::span<const std::string> args,
                          Interspersed interspersed) {
  Normaliser normaliser(options, args, interspersed);
  normaliser.run();
  return {Flags(options, collect_values(options, normaliser.given)), std::move(normaliser.positional),
          normaliser.position()};
}

Flags::Flags(std::span<const Option> options, std::map<std::string, std::vector<std::string>> values) {
  for (const Option& option : options) values_[option.name] = std::move(values[option.name]);
}

const std::vector<std::string>& Flags::values_of(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::logic_error(fmt::format("no option --{} in this table", name));
  return found->second;
}

const std::string* Flags::last(std::string_view name) const {
  const auto& values = values_of(name);
  return values.empty() ? nullptr : &values.back();
}

bool Flags::given(std::string_view name) const {
  return !values_of(name).empty();
}

std::optional<bool> Flags::find_flag(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(parse_bool(*value));
}

std::optional<std::string> Flags::find_text(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::vector<std::string> Flags::list(std::string_view name) const {
  return values_of(name);
}

std::optional<std::int64_t> Flags::find_integer(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(parse_int(*value));
}

std::optional<std::uint64_t> Flags::find_unsigned(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(parse_uint(*value));
}

std::optional<std::uint64_t> Flags::find_size(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(parse_size(*value));
}

std::optional<std::chrono::nanoseconds> Flags::find_duration(std::string_view name) const {
  const std::string* value = last(name);
  return value == nullptr ? std::nullopt : std::optional(parse_duration(*value));
}

}  // namespace lade::common
