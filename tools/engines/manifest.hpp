// The manifest commands of podman and buildah: the same over one implementation, but for a few words.
#pragma once

#include <span>

#include "common/command.hpp"
#include "engines/front.hpp"

namespace lade::engines {

enum class Grammar { podman, buildah };

// "manifest create" and so on.
std::span<const common::Command* const> manifest_commands(Grammar grammar);

// What `buildah manifest inspect` prints: of a list in the store, or else of one in a registry.
int print_list(EngineSession& session, const std::string& name, Grammar grammar);

}  // namespace lade::engines
