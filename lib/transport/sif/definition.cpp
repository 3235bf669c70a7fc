#include "transport/sif/definition.hpp"

#include <algorithm>

namespace lade::transport::sif {
namespace {

std::string_view without_blanks(std::string_view line) {
  constexpr std::string_view blanks = " \t\r\v\f";
  const std::size_t begin = line.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return "";
  return line.substr(begin, line.find_last_not_of(blanks) - begin + 1);
}

}  // namespace

Definition Definition::parse(std::string_view text) {
  enum class Section { other, environment, runscript } section = Section::other;
  Definition result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('%')) {
      section = line == "%environment" ? Section::environment
                : line == "%runscript" ? Section::runscript
                                       : Section::other;
    } else if (section == Section::environment) {
      if (!line.empty() && !line.starts_with('#')) result.environment.emplace_back(line);
    } else if (section == Section::runscript) {
      result.runscript.emplace_back(line);
    }
  }
  return result;
}

std::string Definition::script() const {
  std::string text = "#!/bin/bash\n";
  for (const auto* lines : {&environment, &runscript})
    for (const std::string& line : *lines) text.append(line).append("\n");
  return text;
}

}  // namespace lade::transport::sif
