#include "buildah/working.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "spec/media_type.hpp"
#include "store/ids.hpp"

namespace lade::buildah {

const build::Builders& WorkSession::builders() {
  if (!builders_) builders_.emplace(context(), store());
  return *builders_;
}

const config::ContainersConf& WorkSession::containers_conf() {
  if (!conf_) conf_ = config::ContainersConf::load(session().environment());
  return *conf_;
}

build::Builder WorkSession::open(const std::string& name) {
  return in_context([&] { return fmt::format("reading build container \"{}\"", name); },
                    [&] { return builders().open(name); });
}

void check_auth_file(const common::Flags& flags) {
  const std::string path = flags.text("authfile");
  if (!path.empty() && ::access(path.c_str(), F_OK) != 0)
    throw Error::from_errno(errno, "credential file is not accessible: stat " + path);
}

std::string time_now(const Context& context) {
  return store::format_time(context.clock.now());
}

bool wants_history(WorkSession& session) {
  if (const auto given = session.invocation().flags.find_flag("add-history")) return *given;
  const std::string history = session.environment("BUILDAH_HISTORY");
  return history == "1" || history == "true";
}

void note_history(WorkSession& session, build::Builder& builder, const std::string& created_by) {
  if (wants_history(session)) builder.add_history(time_now(session.context()), created_by);
}

common::Option add_history_option() {
  return {.name = "add-history",
          .help =
              "add an entry for this operation to the image's history. Use BUILDAH_HISTORY environment "
              "variable to override"};
}

std::string format_named(WorkSession& session, const std::string& word) {
  std::string format = word.empty() ? session.environment("BUILDAH_FORMAT") : word;
  if (format.empty() || format == "oci" || format == spec::media_type::oci_manifest)
    return std::string(spec::media_type::oci_manifest);
  if (format == "docker" || format == spec::media_type::docker_manifest)
    return std::string(spec::media_type::docker_manifest);
  throw Error(Kind::invalid_input, fmt::format("unrecognized image type \"{}\"", format));
}

}  // namespace lade::buildah
