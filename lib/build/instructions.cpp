#include "build/instructions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "build/shell_words.hpp"

namespace lade::build {

namespace {

constexpr std::string_view blanks_of_instructions = " \t\r\n";

std::string trimmed_rest(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks_of_instructions);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(blanks_of_instructions) - begin + 1));
}

std::optional<std::vector<std::string>> json_list(const std::string& text) {
  const auto json = spec::try_parse_json(text);
  if (!json || !json->is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& word : *json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

[[noreturn]] void refuse_instruction(const Instruction& instruction, const char* why) {
  throw Error(Kind::invalid_input,
              fmt::format("invalid instruction \"{} {}\": {}", instruction.name, instruction.rest, why));
}

bool is_in_name(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string with_variables(ImageSettings& settings, const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const bool braced = text[i + 1] == '{';
    const std::size_t begin = i + (braced ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && is_in_name(text[end])) ++end;
    if (end == begin || (braced && (end == text.size() || text[end] != '}'))) {
      result += text[i];
      continue;
    }
    result += settings.find_env(std::string_view(text).substr(begin, end - begin)).value_or("");
    i = braced ? end : end - 1;
  }
  return result;
}

// "a=b c='d e'", or "a the rest is its value".
std::vector<std::pair<std::string, std::string>> pairs_of(ImageSettings& settings,
                                                          const Instruction& instruction) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& word : split_shell_words(instruction.rest)) {
    const auto equals = word.find('=');
    if (equals == 0) refuse_instruction(instruction, "a name is missing");
    if (equals == std::string::npos) {
      if (!result.empty()) refuse_instruction(instruction, "it must be NAME=VALUE");
      const auto blank = instruction.rest.find_first_of(blanks_of_instructions);
      if (blank == std::string::npos) refuse_instruction(instruction, "it needs a value");
      return {{instruction.rest.substr(0, blank),
               with_variables(settings, trimmed_rest(instruction.rest.substr(blank)))}};
    }
    result.emplace_back(word.substr(0, equals), with_variables(settings, word.substr(equals + 1)));
  }
  return result;
}

std::string port_of(const Instruction& instruction, const std::string& word) {
  const auto slash = word.find('/');
  const std::string number = word.substr(0, slash);
  const bool is_number = !number.empty() && std::ranges::all_of(number, [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-';
  });
  if (!is_number) refuse_instruction(instruction, "a port must be a number");
  return slash == std::string::npos ? word + "/tcp" : word;
}

std::string joined_directory(const std::string& old, const std::string& next) {
  auto path = (std::filesystem::path(old.empty() ? "/" : old) / next).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

using Apply = std::function<void(ImageSettings&, const Instruction&)>;

const std::map<std::string, Apply>& appliers() {
  static const auto text_into = [](const char* member) {
    return [member](ImageSettings& settings, const Instruction& instruction) {
      settings.set_text(member, with_variables(settings, instruction.rest));
    };
  };
  static const auto command_into = [](const char* member) {
    return [member](ImageSettings& settings, const Instruction& instruction) {
      settings.set_list(member, command_of_instruction(settings, instruction.rest));
    };
  };
  static const std::map<std::string, Apply> map = {
      {"CMD", command_into("Cmd")},
      {"ENTRYPOINT", command_into("Entrypoint")},
      {"USER", text_into("User")},
      {"STOPSIGNAL", text_into("StopSignal")},
      {"HOSTNAME", text_into("Hostname")},
      {"MAINTAINER", [](ImageSettings& s, const Instruction& i) { s.set_image_text("author", i.rest); }},
      {"ENV",
       [](ImageSettings& s, const Instruction& i) {
         for (const auto& [name, value] : pairs_of(s, i)) s.set_env(name, value);
       }},
      {"LABEL",
       [](ImageSettings& s, const Instruction& i) {
         for (const auto& [name, value] : pairs_of(s, i)) s.set_label(name, value);
       }},
      {"ANNOTATION",
       [](ImageSettings& s, const Instruction& i) {
         for (const auto& [name, value] : pairs_of(s, i)) s.set_annotation(name, value);
       }},
      {"EXPOSE",
       [](ImageSettings& s, const Instruction& i) {
         for (const auto& word : split_shell_words(with_variables(s, i.rest)))
           s.add_to_set("ExposedPorts", port_of(i, word));
       }},
      {"VOLUME",
       [](ImageSettings& s, const Instruction& i) {
         for (const auto& path : json_list(i.rest).value_or(split_shell_words(with_variables(s, i.rest))))
           s.add_to_set("Volumes", path);
       }},
      {"WORKDIR",
       [](ImageSettings& s, const Instruction& i) {
         s.set_text("WorkingDir", joined_directory(s.text("WorkingDir"), with_variables(s, i.rest)));
       }},
      {"ONBUILD",
       [](ImageSettings& s, const Instruction& i) {
         auto triggers = s.list("OnBuild");
         triggers.push_back(i.rest);
         s.set_list("OnBuild", triggers);
       }},
      {"SHELL", [](ImageSettings& s, const Instruction& i) {
         const auto words = json_list(i.rest);
         if (!words) refuse_instruction(i, "it must be a JSON array");
         s.set_list("Shell", *words);
       }}};
  return map;
}

}  // namespace

Instruction parse_instruction(std::string_view text) {
  const std::string line = trimmed_rest(text);
  if (line.empty()) throw Error(Kind::invalid_input, "an instruction is empty");
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  Instruction result{line.substr(0, end), trimmed_rest(std::string_view(line).substr(end))};
  std::ranges::transform(result.name, result.name.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

bool apply_instruction(ImageSettings& settings, const Instruction& instruction) {
  const auto found = appliers().find(instruction.name);
  if (found == appliers().end()) return false;
  if (instruction.rest.empty()) refuse_instruction(instruction, "it needs a value");
  found->second(settings, instruction);
  return true;
}

std::vector<std::string> command_of_instruction(ImageSettings& settings, const std::string& rest) {
  if (auto words = json_list(rest)) return *std::move(words);
  auto command = settings.list("Shell");
  if (command.empty()) command = {"/bin/sh", "-c"};
  command.push_back(rest);
  return command;
}

}  // namespace lade::build
