// A stored list as the source of a copy: the list itself, and each of its images from wherever that is.
#pragma once

#include <functional>
#include <memory>

#include "engine/stored_list.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::engine {

// `options_of` gives what opening an image of the list needs; it may be called from several threads.
std::unique_ptr<transport::ImageReference> list_reference(
    StoredList stored, std::function<transport::Options(const transport::ImageReference&)> options_of);

}  // namespace lade::engine
