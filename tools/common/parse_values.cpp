#include "common/parse_values.hpp"

// Values may hold commas, and its regular expressions recurse once for each character of a value.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#define CXXOPTS_NO_REGEX true
#include <cxxopts.hpp>

namespace lade::common {
namespace {

// cxxopts takes no dots in names, and reads a name of one letter as a short option.
std::string key(std::string name) {
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return "o-" + name;
}

}  // namespace

std::map<std::string, std::vector<std::string>> collect_values(std::span<const Option> options,
                                                               std::span<const GivenValue> given) {
  if (given.empty()) return {};
  cxxopts::Options parser("lade");
  for (const Option& option : options) {
    parser.add_options()(key(option.name), "", cxxopts::value<std::vector<std::string>>());
  }
  std::vector<std::string> line = {"lade"};
  for (const GivenValue& pair : given) line.push_back("--" + key(pair.name) + "=" + pair.value);
  std::vector<const char*> argv;
  for (const std::string& word : line) argv.push_back(word.c_str());
  const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());

  std::map<std::string, std::vector<std::string>> values;
  for (const GivenValue& pair : given) {
    values[pair.name] = result[key(pair.name)].as<std::vector<std::string>>();
  }
  return values;
}

}  // namespace lade::common
