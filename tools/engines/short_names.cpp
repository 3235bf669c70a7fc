#include "engines/short_names.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "common/prompt.hpp"
#include "config/short_name_aliases.hpp"

namespace lade::engines {
namespace {

// Which of them, by its number.
std::size_t ask_for_candidate(EngineSession& session, const std::vector<spec::Reference>& references) {
  common::Output& out = session.invocation().out;
  out.line("? Please select an image:");
  for (std::size_t i = 0; i < references.size(); ++i)
    out.line(fmt::format("  {}) {}", i + 1, references[i].str()));
  for (;;) {
    const std::string answer =
        common::ask(out, fmt::format("[1-{}]: ", references.size()), session.context().stop);
    if (answer.empty() || answer.size() > 4) continue;
    if (answer.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::size_t number = std::stoul(answer);
    if (number >= 1 && number <= references.size()) return number - 1;
  }
}

}  // namespace

ChosenCandidates choose_candidates(EngineSession& session, const std::string& name) {
  const auto& registries = session.registries();
  ChosenCandidates chosen{engine::pull_candidates(name, registries)};
  auto& candidates = chosen.candidates;
  if (!candidates.ambiguous) return chosen;
  if (isatty(0) == 0 || isatty(1) == 0) {
    if (registries.short_name_mode() == config::ShortNameMode::enforcing)
      throw Error(Kind::invalid_input, "short-name resolution enforced but cannot prompt without a TTY");
    return chosen;
  }
  candidates.references = {candidates.references[ask_for_candidate(session, candidates.references)]};
  candidates.explanation.clear();
  chosen.by_person = true;
  return chosen;
}

void remember_choice(EngineSession& session, const ChosenCandidates& chosen) {
  if (!chosen.by_person) return;
  config::add_short_name_alias(session.context(), session.short_names_path(), chosen.candidates.short_name,
                               chosen.candidates.references.front().name());
}

}  // namespace lade::engines
