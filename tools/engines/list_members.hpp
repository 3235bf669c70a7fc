// What the manifest commands put into lists: images by the names that people give.
#pragma once

#include <memory>
#include <string>

#include "engine/stored_list.hpp"
#include "engines/front.hpp"
#include "spec/platform.hpp"
#include "transport/transport.hpp"

namespace lade::engines {

// An image by its name: with a transport as that says; otherwise in a registry, or if there is none in the
// store. `local_first`: the other way round.
std::unique_ptr<transport::ImageReference> find_member(EngineSession& session, const std::string& name,
                                                       bool local_first);

// Adds the image, with its platform; of a list the one of `platform`, or `all`. The digest of the first.
spec::Digest add_image(EngineSession& session, engine::StoredList& stored,
                       const transport::ImageReference& reference, bool all,
                       const spec::PlatformChoice& platform);

// What `reference` names, as a subject of a list or an artifact.
spec::Descriptor describe_subject(EngineSession& session, const transport::ImageReference& reference);

// An entry of the list by digest, by a file that it was made from, or by the name of an image.
spec::Digest find_entry(EngineSession& session, const engine::StoredList& stored, const std::string& name);

}  // namespace lade::engines
