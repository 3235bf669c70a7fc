#include "copy/copy.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/encryption_options.hpp"
#include "common/option_groups.hpp"
#include "common/progress.hpp"
#include "common/retry.hpp"
#include "common/session.hpp"
#include "config/blob_info_cache.hpp"
#include "os/file.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/copy_flags.hpp"
#include "skopeo/image_name.hpp"
#include "skopeo/signing_options.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> layer_options() {
  const std::string group = "Layers";
  return {
      {.name = "dest-compress",
       .help =
           "Compress tarball image layers when saving to directory using the 'dir' transport. (default is "
           "same compression type as source)",
       .group = group},
      {.name = "dest-decompress",
       .help = "Decompress tarball image layers when saving to directory using the 'dir' transport. (default "
               "is same compression type as source)",
       .group = group},
      {.name = "dest-compress-format",
       .kind = ValueKind::text,
       .value_name = "FORMAT",
       .help = "FORMAT to use for the compression (gzip, zstd, or zstd:chunked, which lets "
               "later pulls fetch only the files they lack)",
       .group = group,
       .choices = {"gzip", "zstd", "zstd:chunked"}},
      {.name = "dest-compress-level",
       .kind = ValueKind::integer,
       .value_name = "LEVEL",
       .help = "LEVEL to use for the compression (gzip 1-9, zstd 1-20)",
       .group = group},
      {.name = "dest-force-compress-format",
       .help = "Force exclusive use of the compression algorithm set in --dest-compress-format",
       .group = group},
      {.name = "dest-oci-accept-uncompressed-layers",
       .help = "Allow uncompressed image layers when saving to an OCI image using the 'oci' transport. "
               "(default is to compress things that aren't compressed)",
       .group = group},
  };
}

std::vector<Option> transfer_options() {
  const std::string group = "Transfer";
  return {
      {.name = "dest-chunk-size",
       .kind = ValueKind::size,
       .help = "upload blobs in chunks of this size (default: in one piece, in chunks where the registry "
               "refuses that)",
       .group = group},
      {.name = "dest-precompute-digests",
       .help = "Precompute digests to prevent uploading layers already on the registry using the 'docker' "
               "transport.",
       .group = group},
      {.name = "image-parallel-copies",
       .kind = ValueKind::unsigned_integer,
       .help = "Maximum number of image layers to be copied (pulled/pushed) simultaneously (default 6)",
       .group = group},
      {.name = "parallel-ranges",
       .kind = ValueKind::unsigned_integer,
       .help = "connections that a large blob is fetched over when one is slow (default 4)",
       .group = group},
      {.name = "skip-existing",
       .help = "do nothing where the destination has this very image already",
       .group = group},
  };
}

std::vector<Option> copy_options() {
  std::vector<Option> options = {
      {.name = "additional-tag",
       .kind = ValueKind::list,
       .help = "additional tags (supports docker-archive)"},
      {.name = "digestfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Write the digest of the pushed image to the specified file"},
      {.name = "progress",
       .kind = ValueKind::text,
       .help = "How to show the progress (auto, plain, bars, json, or none); json: events on standard error",
       .choices = {"auto", "plain", "bars", "json", "none"}},
      {.name = "quiet", .short_name = 'q', .help = "Suppress output information when copying images"},
      common::authfile_option(),
  };
  common::append(options, manifest_options());
  common::append(options, layer_options());
  common::append(options, transfer_options());
  common::append(options, common::image_options("src-"));
  common::append(options, common::image_options("dest-"));
  common::append(options, common::retry_option_group());
  common::append(options, signing_options());
  common::append(options, common::encryption_options());
  common::append(options, common::decryption_options());
  return options;
}

[[noreturn]] void refuse(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::vector<spec::Reference> additional_tags(const Flags& flags) {
  std::vector<spec::Reference> tags;
  for (const std::string& text : flags.list("additional-tag")) {
    const auto reference = in_context([&] { return fmt::format("error parsing additional-tag '{}'", text); },
                                      [&] { return spec::Reference::parse(text); });
    if (!reference.tag()) refuse(fmt::format("additional-tag '{}' must be a tagged reference", text));
    tags.push_back(reference);
  }
  return tags;
}

copy::CopyOptions options_of(const Flags& flags) {
  copy::CopyOptions options;
  read_manifest_options(flags, options);
  if (const auto format = flags.find_text("dest-compress-format"))
    if (!copy::set_compression(options, *format))
      refuse(fmt::format("cannot find compressor for \"{}\"", *format));
  if (const auto level = flags.find_integer("dest-compress-level")) {
    if (*level < 1 || *level > 20) refuse(fmt::format("invalid compression level {}", *level));
    options.compression_level = static_cast<int>(*level);
  }
  options.force_compression_format = flags.flag("dest-force-compress-format");
  options.precompute_digests = flags.flag("dest-precompute-digests");
  options.skip_existing = flags.flag("skip-existing");
  const std::uint64_t parallel = flags.find_unsigned("image-parallel-copies").value_or(0);
  if (parallel > 0) options.parallel_copies = static_cast<unsigned>(std::min<std::uint64_t>(parallel, 256));
  return options;
}

// Not replaced by a rename: it may be a pipe or /dev/stdout.
void write_digest_file(const std::string& path, const spec::Digest& digest) {
  in_context("Failed to write digest to file " + path, [&] {
    os::FileWriter writer(os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    const std::string text = digest.str();
    writer.write(io::as_bytes(text));
  });
}

std::unique_ptr<Progress> progress_of(Invocation& invocation) {
  const Flags& flags = invocation.flags;
  const std::string mode = flags.flag("quiet") ? "none" : flags.find_text("progress").value_or("auto");
  return common::make_progress(common::parse_progress_mode(mode, invocation.out), invocation.out,
                               invocation.logger);
}

int run_copy(Invocation& invocation) {
  if (invocation.arguments.size() != 2) invocation.refuse_usage("Exactly two arguments expected", true);
  const Flags& flags = invocation.flags;
  copy::CopyOptions options = options_of(flags);
  common::Session session(invocation);
  const trust::PolicyContext policy = session.policy();
  const auto source = parse_image(invocation.arguments[0], "source");
  const auto destination = parse_image(invocation.arguments[1], "destination");

  apply_signing_options(invocation, options);
  common::apply_encryption_options(flags, options);
  options.platform = session.platform();
  options.source = session.transport_options("src-", *source);
  options.destination = session.transport_options("dest-", *destination);
  options.destination.accept_uncompressed_layers = flags.flag("dest-oci-accept-uncompressed-layers");
  options.destination.dir_compress = flags.flag("dest-compress");
  options.destination.dir_decompress = flags.flag("dest-decompress");
  options.destination.additional_tags = additional_tags(flags);
  const auto cache =
      config::make_blob_info_cache(config::blob_info_cache_path(session.environment()), invocation.logger);
  options.cache = cache.get();

  const auto progress = progress_of(invocation);
  const Context& plain = invocation.context;
  const Context context{plain.stop, plain.log, *progress, plain.clock};
  common::retry(context, common::retry_options(flags), [&] {
    const copy::CopyResult result = copy::copy_image(context, policy, *source, *destination, options);
    if (flags.given("digestfile")) write_digest_file(flags.text("digestfile"), result.manifest.digest);
  });
  return 0;
}

}  // namespace

const common::Command copy_command{
    .name = "copy",
    .summary = "Copy an IMAGE-NAME from one location to another",
    .description =
        "Copy an image, every byte of it verified.\n\nContainer \"IMAGE-NAME\" uses a "
        "\"transport\":\"details\" format; see lade(1), section \"IMAGE NAMES\".",
    .synopsis = "[command options] SOURCE-IMAGE DESTINATION-IMAGE",
    .example =
        "copy docker://quay.io/skopeo/stable:latest docker://registry.example.com/skopeo:latest\n"
        "copy --all docker://docker.io/library/busybox oci:busybox:latest",
    .argument = common::ArgumentHint::image,
    .options = copy_options,
    .run = run_copy,
    .needs_namespace = names_local_store};

}  // namespace lade::skopeo
