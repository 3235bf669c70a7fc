#include "build/shell_words.hpp"

#include "base/error.hpp"

namespace lade::build {

std::vector<std::string> split_shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool escaped = false, in_word = false;
  char quote = 0;
  for (const char c : line) {
    if (escaped) {
      // Between double quotes a backslash is one, except before these.
      if (quote == '"' && c != '"' && c != '\\' && c != '$' && c != '`') word += '\\';
      word += c;
      escaped = false;
    } else if (c == '\\' && quote != '\'') {
      escaped = in_word = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      // What a shell would run or redirect does not belong to the words.
      if (c == ';' || c == '&' || c == '|' || c == '<' || c == '>') break;
      word += c;
      in_word = true;
    }
  }
  if (escaped || quote != 0) throw Error(Kind::invalid_input, "invalid command line string");
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace lade::build
