#include "config/credential_helper.hpp"

#include "base/error.hpp"
#include "os/child_process.hpp"
#include "spec/json.hpp"

namespace lade::config {

namespace {

constexpr std::string_view not_found_answer = "credentials not found in native keychain";
constexpr std::size_t output_limit = 1 << 20;
constexpr std::size_t shown_output = 200;

std::vector<std::string> variables_of(const Environment& environment) {
  std::vector<std::string> result;
  for (const auto& [name, value] : environment.variables) result.push_back(name + "=" + value);
  return result;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The program's own words on one line.
std::string words_of(const os::ChildResult& result) {
  const auto text = trim(result.out).empty() ? trim(result.err) : trim(result.out);
  std::string words(text.substr(0, shown_output));
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return words;
}

}  // namespace

CredentialHelper::CredentialHelper(std::string name, const Environment& environment,
                                   std::chrono::milliseconds timeout)
    : program_("docker-credential-" + name), environment_(environment), timeout_(timeout) {
  if (name.empty() || name.find('/') != std::string::npos)
    throw Error(Kind::invalid_input, "invalid name of a credential helper: \"" + name + "\"");
}

bool CredentialHelper::is_installed() const {
  return os::find_program(program_, environment_.get("PATH")).has_value();
}

std::optional<std::string> CredentialHelper::run(const Context& context, const std::string& action,
                                                 const std::string& input) const {
  auto result = os::run_child(context, {.arguments = {program_, action},
                                        .input = input,
                                        .environment = variables_of(environment_),
                                        .timeout = timeout_,
                                        .output_limit = output_limit});
  if (result.status == 0) return std::move(result.out);
  if (trim(result.out) == not_found_answer) return std::nullopt;
  throw Error(Kind::denied, program_ + " " + action + ": exit status " + std::to_string(result.status) +
                                ": " + words_of(result));
}

std::optional<Credentials> CredentialHelper::find(const Context& context, const std::string& server) const {
  const auto output = run(context, "get", server);
  if (!output) return std::nullopt;
  const std::string what = program_ + " get";
  const auto answer = spec::parse_json(*output, what, output_limit);
  if (!answer.is_object()) throw Error(Kind::invalid_input, what + ": is not an object");
  Credentials result{spec::string_member(answer, "Username", what),
                     spec::string_member(answer, "Secret", what), ""};
  if (result.username == "<token>") result = {"", "", std::move(result.password)};
  return result.empty() ? std::nullopt : std::optional(std::move(result));
}

void CredentialHelper::store(const Context& context, const std::string& server,
                             const Credentials& credentials) const {
  const bool is_token = !credentials.identity_token.empty();
  const spec::Json request{{"ServerURL", server},
                           {"Username", is_token ? "<token>" : credentials.username},
                           {"Secret", is_token ? credentials.identity_token : credentials.password}};
  if (!run(context, "store", spec::dump_json(request) + "\n"))
    throw Error(Kind::denied, program_ + " store: " + std::string(not_found_answer));
}

bool CredentialHelper::erase(const Context& context, const std::string& server) const {
  return run(context, "erase", server).has_value();
}

std::map<std::string, std::string> CredentialHelper::list(const Context& context) const {
  const auto output = run(context, "list", "unused");
  if (!output) return {};
  spec::Json wrapped = spec::Json::object();
  wrapped["list"] = spec::parse_json(*output, program_ + " list", output_limit);
  return spec::string_map_member(wrapped, "list", program_).value_or(std::map<std::string, std::string>());
}

}  // namespace lade::config
