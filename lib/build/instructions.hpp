// Single instructions of a Containerfile that need no files: those of `commit --change` and of ONBUILD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "build/settings.hpp"

namespace lade::build {

struct Instruction {
  std::string name;  // in capitals
  std::string rest;  // trimmed
};
// "ENV a=b" -> {"ENV", "a=b"}. Kind::invalid_input for an empty one.
Instruction parse_instruction(std::string_view text);

// CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, MAINTAINER, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR; buildah's
// ANNOTATION and HOSTNAME. "$NAME" and "${NAME}" are variables of the settings. False for every other name.
// Kind::invalid_input `invalid instruction "X": ...`.
bool apply_instruction(ImageSettings& settings, const Instruction& instruction);

// `["a","b"]`, or else a line for the shell of the settings.
std::vector<std::string> command_of_instruction(ImageSettings& settings, const std::string& rest);

}  // namespace lade::build
