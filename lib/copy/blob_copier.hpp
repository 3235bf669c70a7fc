// Moves one blob: reuse it, mount it, or stream it through decompression and compression.
#pragma once

#include "copy/encryption.hpp"
#include "copy/session.hpp"
#include "spec/image_config.hpp"

namespace lade::copy {

// Copies layers, several at once, and returns their new descriptors: media type, digest and size follow their
// compression. `stored`: what the source gives in their place (ImageSource::stored_layers), for those that
// the destination does not have; empty if it gives them as they are. A size of 0 stands for an unknown one
// and is filled in. A foreign layer that the destination takes by its urls is not touched.
// `crypto`: what happens to each of them; empty: they are neither encrypted nor decrypted.
std::vector<spec::Descriptor> copy_layers(Session& session, const Context& context,
                                          const std::vector<spec::Descriptor>& layers,
                                          const std::vector<spec::Descriptor>& stored = {},
                                          const std::vector<LayerCrypto>& crypto = {});

// Copies a config as it is.
void copy_config(Session& session, const Context& context, const spec::Descriptor& config);

// Writes a document that lade made (a converted config, an empty layer).
void put_document(Session& session, const Context& context, const spec::Descriptor& descriptor,
                  const std::string& bytes, bool is_config);

// The digest of the uncompressed bytes of each layer, by reading all of them.
std::vector<spec::DiffId> read_diff_ids(Session& session, const Context& context,
                                        const std::vector<spec::Descriptor>& layers);

}  // namespace lade::copy
