// pull and push: the same in both grammars but for defaults.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/command.hpp"
#include "common/retry.hpp"
#include "copy/copy.hpp"
#include "engines/front.hpp"
#include "spec/platform.hpp"
#include "transport/transport.hpp"

namespace lade::engines {

// What every command has that talks to a registry.
std::vector<common::Option> registry_access_options();
// --retry and --retry-delay, where the command has them; 3 times, after 2 s.
common::RetryOptions transfer_retries(const common::Flags& flags);
// --signature-policy, of every command that copies images.
common::Option signature_policy_option();
// The last two of pull's; `default_policy` is for the help.
std::vector<common::Option> pull_options(const std::string& default_policy);
std::vector<common::Option> push_options();

// Prints the ID of each image. `default_policy`: "always", "missing". `without_image`: the error if none is
// given; "": cobra's.
int run_pull(common::Invocation& invocation, const std::string& default_policy,
             const std::string& without_image = "");

struct PushRules {
  std::string without_image = {};  // the error if none is given; "": cobra's
  bool names_failures = false;     // `pushing image "X" to "Y": ...` for an image that is not there
};
int run_push(common::Invocation& invocation, const PushRules& rules);

// A name with a transport, or else one in a registry.
std::unique_ptr<transport::ImageReference> parse_destination(const std::string& target);

// IDs of the images that `name` means: local ones, or pulled as `policy` says ("always", "missing", "newer",
// "never"), with the options of pull as far as the command has them.
std::vector<std::string> pull_images(EngineSession& session, const std::string& name,
                                     const std::string& policy);

// One copy with progress on standard error (unless --quiet), repeated as --retry says.
struct Transfer {
  const transport::ImageReference& source;
  const transport::ImageReference& destination;
  spec::PlatformChoice platform = {};
  std::string manifest_type = {};
  std::vector<spec::Reference> more_tags = {};  // docker-archive:
  bool preserve_layers = false;                 // oci: as they are, uncompressed
  bool compress_directory = false;              // dir: layers compressed
  copy::CopyOptions::Instances instances = copy::CopyOptions::Instances::system;
};
spec::RawManifest transfer(EngineSession& session, const Transfer& what);

// Kind::denied if BUILD_REGISTRY_SOURCES keeps builds from the registry; `subject` as RegistrySources has it.
void require_allowed(EngineSession& session, const transport::ImageReference& reference,
                     std::string_view subject);

// For opening a reference: what the flags and the configuration say of its place.
transport::Options options_for(EngineSession& session, const transport::ImageReference& reference);

void write_digest(const std::string& path, const spec::Digest& digest);

// Whether `name` begins with a transport: "docker://x", "oci:dir", but not "host:5000/x".
bool names_transport(const std::string& name);

// "oci", "v2s1", "v2s2" as a media type; "" for "".
std::string manifest_type_named(const std::string& format);

// The image of the local store with this full ID.
std::unique_ptr<transport::ImageReference> stored_image(const std::string& id);

// Copies an image that is not in a registry into the store and gives it the name that it has there. Its ID.
struct Imported {
  std::string id;
  std::string name;  // "" for none
};
Imported import_image(EngineSession& session, const transport::ImageReference& source);

}  // namespace lade::engines
