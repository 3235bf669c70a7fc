#include <fmt/format.h>

#include "base/error.hpp"
#include "skopeo/commands.hpp"

namespace lade::skopeo {
namespace {

using common::Command;
using common::Invocation;

int refuse(Invocation& invocation) {
  throw Error(Kind::unsupported, fmt::format("{} is not available in lade yet", invocation.command.name));
}

Command missing(std::string_view name, int (*run)(Invocation&)) {
  return {.name = name,
          .summary = "",
          .description = "",
          .synopsis = "",
          .example = "",
          .run = run,
          .hidden = true,
          .raw_arguments = true};
}

const Command layers = missing("layers", refuse);

const Command* const all[] = {&layers};

}  // namespace

std::span<const Command* const> missing_commands() {
  return all;
}

}  // namespace lade::skopeo
