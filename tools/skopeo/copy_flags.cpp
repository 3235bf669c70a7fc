#include "skopeo/copy_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/media_type.hpp"

namespace lade::skopeo {
namespace {

using common::Flags;
using common::ValueKind;
using Instances = copy::CopyOptions::Instances;

[[noreturn]] void refuse_value(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::string manifest_type_of(const std::string& format) {
  if (format.empty()) return "";
  if (format == "oci") return std::string(spec::media_type::oci_manifest);
  if (format == "v2s1") return std::string(spec::media_type::docker_manifest_v1_signed);
  if (format == "v2s2") return std::string(spec::media_type::docker_manifest);
  refuse_value(fmt::format(
      "unknown format \"{}\". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'", format));
}

std::vector<spec::Platform> platforms_of(const std::string& list) {
  std::vector<spec::Platform> platforms;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    platforms.push_back(spec::Platform::parse(list.substr(start, comma - start)));
    start = comma + 1;
  }
  return platforms;
}

void choose_instances(const Flags& flags, copy::CopyOptions& options) {
  const std::string choice = flags.text("multi-arch");
  if (flags.flag("all") && !choice.empty()) refuse_value("Cannot use --all and --multi-arch flags together");
  if (flags.flag("all") || choice == "all") {
    options.instances = Instances::all;
  } else if (choice == "index-only") {
    options.instances = Instances::index_only;
  } else if (std::find(choice.begin(), choice.end(), '/') != choice.end()) {
    options.instances = Instances::platforms;
    options.platforms = platforms_of(choice);
  } else if (!choice.empty() && choice != "system") {
    refuse_value(fmt::format(
        "unknown multi-arch option \"{}\". Choose one of the supported options: 'system', 'all', or "
        "'index-only'",
        choice));
  }
}

}  // namespace

std::vector<common::Option> manifest_options() {
  return {
      {.name = "all", .short_name = 'a', .help = "Copy all images if SOURCE-IMAGE is a list"},
      {.name = "format",
       .short_name = 'f',
       .kind = ValueKind::text,
       .help = "MANIFEST TYPE (oci, v2s1, or v2s2) to use in the destination (default is manifest type of "
               "source, with fallbacks)",
       .choices = {"oci", "v2s1", "v2s2"}},
      {.name = "multi-arch",
       .kind = ValueKind::text,
       .help = "How to handle multi-architecture images (system, all, index-only, or a list "
               "OS/ARCH[/VARIANT],...)",
       .choices = {"system", "all", "index-only"}},
      {.name = "preserve-digests", .help = "Preserve digests of images and lists"},
      {.name = "remove-list-signatures", .help = "Do not copy signatures of lists from source"},
      {.name = "remove-signatures", .help = "Do not copy signatures from source"},
      {.name = "strip-removed-platforms",
       .help = "Leave instances that are not copied out of the list (its digest changes)"},
      {.name = "with-referrers",
       .help = "Copy what refers to the image as well: signatures, SBOMs and other artifacts"},
  };
}

void read_manifest_options(const Flags& flags, copy::CopyOptions& options) {
  choose_instances(flags, options);
  options.strip_removed_platforms = flags.flag("strip-removed-platforms");
  options.manifest_type = manifest_type_of(flags.text("format"));
  options.preserve_digests = flags.flag("preserve-digests");
  options.remove_signatures = flags.flag("remove-signatures");
  options.remove_list_signatures = flags.flag("remove-list-signatures");
  options.with_referrers = flags.flag("with-referrers");
}

}  // namespace lade::skopeo
