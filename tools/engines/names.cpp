#include "engines/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/image_names.hpp"

namespace lade::engines {

using common::Invocation;

int run_tag(Invocation& invocation) {
  require_at_least(invocation, 2);
  EngineSession session(invocation);
  const auto images = session.images();
  const auto found = images.get(invocation.arguments[0]);
  std::vector<std::string> names;
  for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
    const auto reference = engine::normalize_name(invocation.arguments[i]);
    if (reference.digest())
      throw Error(Kind::invalid_input,
                  fmt::format("{}: tag by digest not supported", invocation.arguments[i]));
    names.push_back(reference.str());
  }
  session.store()->add_names(session.context(), found.image->id, names);
  return 0;
}

int run_untag(Invocation& invocation) {
  require_at_least(invocation, 1);
  EngineSession session(invocation);
  const auto images = session.images();
  const auto found = images.get(invocation.arguments[0]);
  std::vector<std::string> names;
  for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
    const std::string name = engine::normalize_name(invocation.arguments[i]).str();
    const auto& known = found.image->names;
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error(Kind::not_found, fmt::format("{}: tag not known", name));
    names.push_back(name);
  }
  if (names.empty()) names = found.image->names;
  if (!names.empty()) session.store()->remove_names(session.context(), found.image->id, names);
  return 0;
}

engine::RemoveReport remove_requested(EngineSession& session, const RemovalRequest& request) {
  const auto& arguments = session.invocation().arguments;
  const auto refuse = [](const char* text) { throw Error(Kind::invalid_input, text); };
  if (arguments.empty() && !request.all && !request.prune) refuse("image name or ID must be specified");
  if (!arguments.empty() && request.all)
    refuse("when using the --all switch, you may not pass any images names or IDs");
  if (request.all && request.prune) refuse("when using the --all switch, you may not use --prune switch");
  if (!arguments.empty() && request.prune)
    refuse("when using the --prune switch, you may not pass any images names or IDs");
  if (!request.all && !request.prune)
    return engine::remove_images(session.context(), session.store(), session.registries(), arguments,
                                 request.options);
  std::vector<std::string> ids;
  const auto images = session.images();
  for (const auto& image : images.all())
    if (request.all || images.is_dangling(image)) ids.push_back(image.id);
  return engine::remove_whole_images(session.context(), session.store(), session.registries(), ids,
                                     request.options);
}

std::vector<std::string> prunable_images(const engine::LocalImages& images, bool all) {
  std::vector<std::string> ids;
  for (const auto& image : images.all()) {
    if (!images.containers_of(image).empty()) continue;
    if (all || images.is_dangling(image)) ids.push_back(image.id);
  }
  return ids;
}

}  // namespace lade::engines
