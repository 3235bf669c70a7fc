// What the commands of working containers share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/builder.hpp"
#include "common/command.hpp"
#include "config/containers_conf.hpp"
#include "engines/front.hpp"

namespace lade::buildah {

// The session of one command, and the working containers of its store.
class WorkSession : public engines::EngineSession {
 public:
  explicit WorkSession(const common::Invocation& invocation) : EngineSession(invocation) {}

  const build::Builders& builders();
  const config::ContainersConf& containers_conf();
  // Kind and words of `reading build container "X": ...`.
  build::Builder open(const std::string& name);
  std::string environment(const char* name) { return session().environment().get(name); }

 private:
  std::optional<build::Builders> builders_;
  std::optional<config::ContainersConf> conf_;
};

// Kind::not_found if --authfile names a file that is not there.
void check_auth_file(const common::Flags& flags);

// "2026-11-21T18:00:00.123456789Z"
std::string time_now(const Context& context);
// Whether --add-history says so, or else BUILDAH_HISTORY.
bool wants_history(WorkSession& session);
void note_history(WorkSession& session, build::Builder& builder, const std::string& created_by);
common::Option add_history_option();

// Runs `fn` for each name and tells what failed: all errors but the last at once, the last one is thrown.
template <class Fn>
void for_each_name(const std::vector<std::string>& names, const Fn& fn) {
  std::optional<Error> last;
  for (const auto& name : names) {
    try {
      fn(name);
    } catch (const Error& error) {
      if (last) common::write_best_effort(2, std::string(last->what()) + "\n");
      last = error;
    }
  }
  if (last) throw *std::move(last);
}

// "oci", "docker", or a media type: the media type of the manifest. "": BUILDAH_FORMAT, or OCI's.
// Kind::invalid_input `unrecognized image type "X"`.
std::string format_named(WorkSession& session, const std::string& word);

}  // namespace lade::buildah
