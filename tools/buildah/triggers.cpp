#include "buildah/triggers.hpp"

#include <fmt/format.h>

#include "build/add.hpp"
#include "build/instructions.hpp"
#include "build/run.hpp"
#include "build/shell_words.hpp"
#include "buildah/remote_sources.hpp"

namespace lade::buildah {
namespace {

void run_command(WorkSession& session, build::Builder& builder, const std::string& rest) {
  build::RunOptions options;
  auto settings = builder.settings();
  options.command = build::command_of_instruction(settings, rest);
  options.runtime = session.environment("BUILDAH_RUNTIME");
  options.cgroup_manager = session.containers_conf().cgroup_manager;
  const int status = build::run_in_container(session.builders(), builder, options, session.containers_conf(),
                                             session.session().environment());
  if (status != 0) throw Error(Kind::system, fmt::format("while running runtime: exit status {}", status));
}

void add_content(WorkSession& session, build::Builder& builder, const build::Instruction& instruction) {
  auto words = build::split_shell_words(instruction.rest);
  for (const auto& word : words)
    if (word.starts_with("--"))
      throw Error(Kind::unsupported, fmt::format("{} is not supported in ONBUILD instructions", word));
  if (words.empty()) throw Error(Kind::invalid_input, "src must be specified");
  std::string destination;
  if (words.size() > 1) {
    destination = words.back();
    words.pop_back();
  }
  RemoteSources remote(session);
  std::vector<build::AddSource> sources;
  for (const auto& word : words)
    sources.push_back(is_remote_source(word) ? remote.fetch(word) : build::AddSource{.name = word});
  build::AddOptions options;
  options.extract = instruction.name == "ADD";
  options.with_digest = false;
  build::add_content(session.builders(), builder, destination, sources, options);
}

void run_trigger(WorkSession& session, build::Builder& builder, const std::string& text) {
  const auto instruction = build::parse_instruction(text);
  if (instruction.name == "RUN") {
    run_command(session, builder, instruction.rest);
  } else if (instruction.name == "COPY" || instruction.name == "ADD") {
    add_content(session, builder, instruction);
  } else {
    auto settings = builder.settings();
    if (!build::apply_instruction(settings, instruction))
      session.context().log.log(Level::error, fmt::format("unknown OnBuild command \"{}\"; ignored", text));
  }
}

}  // namespace

void run_triggers(WorkSession& session, build::Builder& builder) {
  auto settings = builder.settings();
  const auto triggers = settings.list("OnBuild");
  if (triggers.empty()) return;
  settings.set_list("OnBuild", {});
  int step = 0;
  for (const auto& trigger : triggers) {
    ++step;
    if (!session.invocation().flags.flag("quiet"))
      common::write_best_effort(2, fmt::format("STEP {}: {}\n", step, trigger));
    in_context([&] { return fmt::format("running ONBUILD instruction \"{}\"", trigger); },
               [&] { run_trigger(session, builder, trigger); });
  }
  session.builders().save(builder);
}

}  // namespace lade::buildah
