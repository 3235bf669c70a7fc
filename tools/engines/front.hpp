// What the grammars of podman and buildah share: global options, the store they mean, errors as they tell
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/command.hpp"
#include "common/session.hpp"
#include "engine/local_images.hpp"
#include "store/store.hpp"

namespace lade::engines {

inline constexpr int exit_engine_error = 125;
inline constexpr int exit_no_such_image = 1;
inline constexpr int exit_in_use = 2;

// --root --runroot --storage-driver --storage-opt --imagestore --log-level and their like.
std::vector<common::Option> store_options();
// Options that scripts give for containers. Image commands do not look at them, and the help says so.
struct IdleOption {
  const char* name;
  common::ValueKind kind;
};
std::vector<common::Option> idle_options(const std::vector<IdleOption>& options);
std::vector<common::Option> unavailable_options(const std::vector<IdleOption>& options,
                                                const std::string& why);

// From --log-level; Kind::invalid_input for a word that is no level.
Level log_threshold(const common::Flags& flags);

// Rules for ordinary users (common::NamespaceRule). Whatever changes the store or reads files of layers needs
// to be root: that is what goes for commands that have no rule.
bool needs_namespace(const common::Request& request);
// Reads no more than the records, which are the user's own files: needs it only to make a store that is not
// there yet. Its store is opened to be read only.
bool needs_namespace_without_store(const common::Request& request);
// Mounts are of no use to anybody unless they are in a namespace that is there already. Kind::unsupported
// `cannot run command "podman image mount" in rootless mode, must execute `podman unshare` first`.
bool needs_given_namespace(const common::Request& request);

// Of one run of a command.
class EngineSession {
 public:
  explicit EngineSession(const common::Invocation& invocation);

  const common::Invocation& invocation() const { return invocation_; }
  const Context& context() const { return invocation_.context; }
  common::Session& session() { return session_; }
  const std::shared_ptr<store::Store>& store();
  const config::StoreOptions& store_options();
  // With the short names that the user has chosen registries for.
  const config::RegistriesConf& registries();
  // The file of these choices.
  std::filesystem::path short_names_path() const;
  // As they are now.
  engine::LocalImages images() { return {context(), store(), registries()}; }

 private:
  const common::Invocation& invocation_;
  common::Session session_;
  std::optional<config::StoreOptions> options_;
  std::shared_ptr<store::Store> store_;
  std::optional<config::RegistriesConf> registries_;
};

// How many arguments a command takes; Kind::invalid_input with cobra's words.
void require_exactly(const common::Invocation& invocation, std::size_t count);
void require_at_least(const common::Invocation& invocation, std::size_t count);
void require_at_most(const common::Invocation& invocation, std::size_t count);
void require_between(const common::Invocation& invocation, std::size_t least, std::size_t most);

// Of commands of buildah's, whose options end at the first argument (Command::runs_program). Kind::invalid_input
// "no options (--x) can be specified after the image or container name".
void require_flags_first(const common::Invocation& invocation);
// Of commands of podman's that take no argument.
void require_none(const common::Invocation& invocation);

// "Error: <text>" on standard error; returns `status`.
int fail(int status, std::string_view text);
// One error as it is, several as a list.
std::string join_errors(const std::vector<Error>& errors);

// "2 errors occurred:" and a line for each, as buildah shows even a single one.
std::string list_errors(const std::vector<Error>& errors);

// A command that is known, but not there yet: it says so.
common::Command missing_command(std::string_view name);

// "podman image": how a group of commands, or with "" the program itself, is called.
std::string command_path(const common::Program& program, std::string_view group);
// "Did you mean this?" and a line for each name that is near; "" if there is none.
std::string suggestion_lines(const std::string& word, const std::vector<std::string>& names);

std::string shorten_id(std::string_view id);  // 12 digits

}  // namespace lade::engines
