#include <fmt/format.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "skopeo/commands.hpp"
#include "spec/json.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::skopeo {
namespace {

int run_manifest_digest(common::Invocation& invocation) {
  if (invocation.arguments.size() != 1) {
    invocation.refuse_usage(fmt::format("Usage: {} manifest-digest manifest", invocation.program.name));
  }
  const std::string& path = invocation.arguments[0];
  const std::string bytes = in_context("Error reading manifest from " + path,
                                       [&] { return os::read_file(path, spec::max_manifest_size); });
  const spec::RawManifest manifest = transport::make_raw_manifest(bytes, "");
  invocation.out.line(manifest.digest.str());
  return 0;
}

}  // namespace

const common::Command manifest_digest_command{.name = "manifest-digest",
                                              .summary = "Compute a manifest digest of a file",
                                              .description = "Compute a manifest digest of a file",
                                              .synopsis = "MANIFEST-FILE",
                                              .example = "manifest-digest manifest.json",
                                              .argument = common::ArgumentHint::file,
                                              .run = run_manifest_digest};

}  // namespace lade::skopeo
