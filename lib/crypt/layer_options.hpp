// The annotations of an encrypted layer: its secret, wrapped for each recipient, and its public options
// (org.opencontainers.image.enc.*).
#pragma once

#include "crypt/keys.hpp"
#include "crypt/layer_secret.hpp"
#include "spec/descriptor.hpp"

namespace lade::crypt {

// For at least one recipient.
spec::Annotations encryption_annotations(const LayerSecret& secret, const std::string& hmac,
                                         const Recipients& recipients);

// `annotations` without those of encryption.
spec::Annotations without_encryption(const spec::Annotations& annotations);

struct OpenedLayer {
  LayerSecret secret;
  std::string hmac;
};

// Kind::denied if none of the keys opens the layer; Kind::unsupported if only ways that lade does not know
// would (pgp, pkcs11, key providers); Kind::invalid_input for malformed annotations.
OpenedLayer open_layer(const spec::Annotations& annotations, const DecryptionKeys& keys);

}  // namespace lade::crypt
