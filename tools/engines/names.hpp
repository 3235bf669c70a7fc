// tag, untag and rmi: the same in both grammars but for a few words.
#pragma once

#include "common/command.hpp"
#include "engine/remove_images.hpp"
#include "engines/front.hpp"

namespace lade::engines {

// Arguments: an image, then new names for it.
int run_tag(common::Invocation& invocation);
// Arguments: an image, then those of its names that go; all of them if none are given.
int run_untag(common::Invocation& invocation);

struct RemovalRequest {
  bool all = false, prune = false;
  engine::RemoveOptions options;
};
// Kind::invalid_input where options and arguments contradict each other.
engine::RemoveReport remove_requested(EngineSession& session, const RemovalRequest& request);

// IDs of images without names and of what was built in between; with `all` also of those without containers.
std::vector<std::string> prunable_images(const engine::LocalImages& images, bool all);

}  // namespace lade::engines
