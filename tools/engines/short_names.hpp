// Short names at the terminal: whom to ask, and keeping the answer.
#pragma once

#include <string>

#include "engine/image_names.hpp"
#include "engines/front.hpp"

namespace lade::engines {

struct ChosenCandidates {
  engine::PullCandidates candidates;
  bool by_person = false;
};

// What to try for a name that is to be pulled. Where several registries are searched, the person at the
// terminal chooses one. Kind::invalid_input `short-name resolution enforced but cannot prompt without a TTY`.
ChosenCandidates choose_candidates(EngineSession& session, const std::string& name);

// Keeps what a person chose, for the next time. After the image was pulled.
void remember_choice(EngineSession& session, const ChosenCandidates& chosen);

}  // namespace lade::engines
