// Signatures kept beside an image: read before anything else of it, for the policy too; written, and made,
// after its manifest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "copy/session.hpp"

namespace lade::copy {

// Throws unless the policy lets the image be used.
void check_policy(Session& session, const Context& context, const spec::RawManifest& manifest);

// Kind::unsupported, or Kind::invalid_input without a name to sign, if signatures are to be made and cannot
// be stored: before anything is copied.
void refuse_impossible_signing(const Session& session);

// Of a manifest as it was written, one by each of the options' signers.
std::vector<std::string> create_signatures(const Session& session, const Context& context,
                                           const spec::RawManifest& written);

// None where the options leave them behind or the source knows none. Kind::unsupported
// "Can not copy signatures to D: R" if there are some and the destination cannot hold them.
std::vector<std::string> read_signatures(Session& session, const Context& context,
                                         const spec::RawManifest& manifest);

void write_signatures(Session& session, const Context& context, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance);

// Whether read_signatures of the image, or of the list or one of its instances, would find any.
bool has_signatures(Session& session, const Context& context, const spec::RawManifest& manifest);

}  // namespace lade::copy
