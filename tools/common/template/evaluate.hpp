// Go's text/template over JSON, as much of it as image tools need: fields, index, range, if, with, variables,
// pipelines, comparison, printing and the report package's functions. define, block, template, call and
// methods are not there.
#pragma once

#include <string>
#include <string_view>

#include "common/template/value.hpp"

namespace lade::common::gotemplate {

// `name` is for messages: `template: <name>:1:13: executing "<name>" at <.Foo>: ...`. Kind::invalid_input for
// what is wrong with the template, also for more than 64 MiB of output or ten million steps.
enum class MissingKeys {
  zero,      // a key that a map has not gives the zero of the map's elements
  no_value,  // it gives "<no value>": text/template as it is
};
std::string render(std::string_view name, std::string_view text, const Value& data,
                   MissingKeys missing = MissingKeys::zero);

// A template that cannot be parsed throws; returns otherwise.
void check(std::string_view name, std::string_view text);

}  // namespace lade::common::gotemplate
