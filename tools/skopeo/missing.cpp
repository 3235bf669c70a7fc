#include <fmt/format.h>

#include "base/error.hpp"
#include "skopeo/commands.hpp"

namespace lade::skopeo {
namespace {

using common::Command;
using common::Invocation;

int refuse(Invocation& invocation) {
  throw Error(Kind::unsupported, fmt::format("{} is not available in lade yet", invocation.command.name));
}

int refuse_signing(Invocation& invocation) {
  throw Error(Kind::unsupported, fmt::format("{} is not available in lade yet: signing is not supported",
                                             invocation.command.name));
}

Command missing(std::string_view name, int (*run)(Invocation&)) {
  return {.name = name,
          .summary = "",
          .description = "",
          .synopsis = "",
          .example = "",
          .run = run,
          .hidden = true,
          .raw_arguments = true};
}

const Command experimental_image_proxy = missing("experimental-image-proxy", refuse);
const Command generate_sigstore_key = missing("generate-sigstore-key", refuse_signing);
const Command layers = missing("layers", refuse);
const Command standalone_sign = missing("standalone-sign", refuse_signing);
const Command standalone_verify = missing("standalone-verify", refuse_signing);
const Command dump_signature = missing("untrusted-signature-dump-without-verification", refuse_signing);

const Command* const all[] = {&experimental_image_proxy,
                              &generate_sigstore_key,
                              &layers,
                              &standalone_sign,
                              &standalone_verify,
                              &dump_signature};

}  // namespace

std::span<const Command* const> missing_commands() {
  return all;
}

}  // namespace lade::skopeo
