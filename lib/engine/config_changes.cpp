#include "engine/config_changes.hpp"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/error.hpp"

namespace lade::engine {
namespace {

using spec::Json;

constexpr int max_port = 65535;
constexpr std::string_view blanks = " \t\r\n";

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

std::string upper_case(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> signal_number(const std::string& text) {
  if (const auto number = whole_number(text))
    return *number >= 1 && *number <= SIGRTMAX ? number : std::nullopt;
  std::string name = upper_case(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int signal = 1; signal < NSIG; ++signal)
    if (const char* known = sigabbrev_np(signal); known != nullptr && name == known) return signal;
  return std::nullopt;
}

// The elements of a JSON list of strings; nullopt for anything else.
std::optional<std::vector<std::string>> json_words(const std::string& text) {
  const auto json = spec::try_parse_json(text);
  if (!json || !json->is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const Json& word : *json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

// Words separated by single blanks.
std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

class ChangedConfig {
 public:
  void apply(const std::string& change) {
    change_ = change;
    std::size_t split = change.find(' ');
    if (split == std::string::npos) split = change.find('=');
    if (split == std::string::npos) refuse("must be formatted as KEY VALUE");
    const std::string key = upper_case(trimmed(change.substr(0, split)));
    const auto known = instructions().find(key);
    if (known == instructions().end()) refuse("invalid instruction " + key);
    (this->*known->second)(trimmed(change.substr(split + 1)));
  }

  Json to_json() const {
    Json json = Json::object();
    const auto put = [&json](const char* name, const auto& value) {
      if (!value.empty()) json[name] = value;
    };
    const auto put_keys = [&json](const char* name, const std::set<std::string>& keys) {
      for (const std::string& key : keys) json[name][key] = Json::object();
    };
    put("User", user_);
    put_keys("ExposedPorts", ports_);
    put("Env", env_);
    put("Entrypoint", entrypoint_);
    put("Cmd", cmd_);
    put_keys("Volumes", volumes_);
    put("WorkingDir", directory_);
    put("Labels", labels_);
    put("StopSignal", stop_signal_);
    return json;
  }

 private:
  using Instruction = void (ChangedConfig::*)(const std::string&);

  static const std::map<std::string, Instruction>& instructions() {
    static const std::map<std::string, Instruction> map = {
        {"USER", &ChangedConfig::user},         {"EXPOSE", &ChangedConfig::expose},
        {"ENV", &ChangedConfig::env},           {"ENTRYPOINT", &ChangedConfig::entrypoint},
        {"CMD", &ChangedConfig::cmd},           {"VOLUME", &ChangedConfig::volume},
        {"WORKDIR", &ChangedConfig::workdir},   {"LABEL", &ChangedConfig::label},
        {"STOPSIGNAL", &ChangedConfig::signal}, {"ONBUILD", &ChangedConfig::onbuild}};
    return map;
  }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(Kind::invalid_input, fmt::format("invalid change \"{}\" - {}", change_, reason));
  }

  void user(const std::string& value) {
    if (value.empty()) refuse("must provide a value to USER");
    user_ = value;
  }

  void expose(const std::string& value) {
    const std::size_t slash = std::min(value.find('/'), value.size());
    if (value.find('/', slash + 1) != std::string::npos)
      refuse("EXPOSE port must be formatted as PORT[/PROTO]");
    const auto port = whole_number(std::string_view(value).substr(0, slash));
    if (!port)
      refuse(fmt::format("EXPOSE port must be an integer: strconv.Atoi: parsing \"{}\": invalid syntax",
                         value.substr(0, slash)));
    if (*port <= 0 || *port > max_port) refuse("EXPOSE port must be a valid port number");
    std::string protocol = slash < value.size() ? upper_case(value.substr(slash + 1)) : "TCP";
    if (protocol != "TCP" && protocol != "UDP") refuse("EXPOSE protocol must be TCP or UDP");
    ports_.insert(fmt::format("{}/{}", *port, protocol == "TCP" ? "tcp" : "udp"));
  }

  void env(const std::string& value) {
    const std::size_t equals = std::min(value.find('='), value.size());
    const std::string key = value.substr(0, equals);
    if (key.empty()) refuse("ENV must have at least one argument");
    const std::string text = equals < value.size() ? value.substr(equals + 1) : "";
    env_.push_back(unquoted(key) + "=" + unquoted(text));
  }

  void entrypoint(const std::string& value) {
    auto words = json_words(value);
    if (!words && !value.empty()) words = {"/bin/sh", "-c", value};
    entrypoint_ = words.value_or(std::vector<std::string>());
  }

  void cmd(const std::string& value) {
    auto words = json_words(value);
    if (!words) words = {"/bin/sh", "-c"};
    if (!json_words(value) && !value.empty()) words->push_back(value);
    cmd_ = *words;
  }

  void volume(const std::string& value) {
    const auto paths = json_words(value).value_or(split_words(value));
    if (paths.empty()) refuse("must provide at least one argument to VOLUME");
    for (const std::string& path : paths) {
      if (path.empty()) refuse("VOLUME paths must not be empty");
      volumes_.insert(path);
    }
  }

  // Each is relative to the one before.
  void workdir(const std::string& value) {
    if (value.empty()) refuse("must provide a non-empty WORKDIR");
    std::string joined = directory_;
    joined.append(joined.empty() ? "" : "/").append(value);
    directory_ = std::filesystem::path(joined).lexically_normal().string();
    if (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  }

  void label(const std::string& value) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) refuse("LABEL must be formatted key=value");
    const std::string key = unquoted(value.substr(0, equals));
    if (key.empty()) refuse("LABEL must have a non-empty key");
    labels_[key] = unquoted(value.substr(equals + 1));
  }

  void signal(const std::string& value) {
    const auto number = signal_number(value);
    if (!number) refuse("KILLSIGNAL must be given a valid signal: invalid signal: " + value);
    stop_signal_ = std::to_string(*number);
  }

  void onbuild(const std::string&) {
    throw Error(Kind::unsupported,
                fmt::format("invalid change \"{}\" - an OCI image cannot hold ONBUILD", change_));
  }

  std::string change_;
  std::string user_, directory_, stop_signal_;
  std::set<std::string> ports_, volumes_;
  std::vector<std::string> env_, entrypoint_, cmd_;
  std::map<std::string, std::string> labels_;
};

}  // namespace

spec::Json config_from_changes(const std::vector<std::string>& changes) {
  ChangedConfig config;
  for (const std::string& change : changes) config.apply(change);
  return config.to_json();
}

}  // namespace lade::engine
