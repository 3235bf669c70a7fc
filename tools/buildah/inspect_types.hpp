// The Go structures that templates for buildah's `inspect --format` are written for.
#pragma once

#include "common/template/value.hpp"

namespace lade::buildah {

// engine::builder_of_image() as buildah's BuilderInfo.
common::gotemplate::Value builder_value(const spec::Json& document);

}  // namespace lade::buildah
