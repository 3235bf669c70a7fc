// The Go structures that templates for `inspect --format` are written for.
#pragma once

#include "common/template/value.hpp"

namespace lade::skopeo {

// Inspection::to_json() as skopeo's inspect.Output. Members that only lade has (ArtifactType, Size) are
// fields where the document has them.
common::gotemplate::Value inspection_value(const spec::Json& document);

// ImageConfig::oci_document() as OCI's v1.Image.
common::gotemplate::Value config_value(const spec::Json& document);

}  // namespace lade::skopeo
