#include "engines/manifest_options.hpp"

#include "engines/front.hpp"
#include "engines/transfer.hpp"

namespace lade::engines {

using common::Option;
using common::ValueKind;

namespace {

std::vector<Option> create_options() {
  return {
      {.name = "all", .help = "add all of the lists' images if the images to add are lists"},
      {.name = "annotation",
       .kind = ValueKind::text,
       .value_name = "KEY=VALUE",
       .help = "set an annotation of the list; may be repeated"},
      {.name = "tls-verify", .help = "require HTTPS and verify certificates when accessing the registry"},
  };
}

// What a list may say of an entry.
std::vector<Option> entry_options() {
  return {
      {.name = "annotation",
       .kind = ValueKind::text,
       .value_name = "KEY=VALUE",
       .help = "set an annotation of the entry; may be repeated"},
      {.name = "arch", .kind = ValueKind::text, .help = "override the architecture of the specified image"},
      {.name = "features", .kind = ValueKind::list, .help = "override the features of the specified image"},
      {.name = "os", .kind = ValueKind::text, .help = "override the OS of the specified image"},
      {.name = "os-features",
       .kind = ValueKind::list,
       .help = "override the OS features of the specified image"},
      {.name = "os-version", .kind = ValueKind::text, .help = "override the OS version of the specified image"},
      {.name = "variant", .kind = ValueKind::text, .help = "override the variant of the specified image"},
  };
}

std::vector<Option> artifact_options() {
  return {
      {.name = "artifact", .help = "add all arguments as artifact files rather than as images"},
      {.name = "artifact-annotation",
       .kind = ValueKind::text,
       .value_name = "KEY=VALUE",
       .help = "set an annotation of the artifact's manifest; may be repeated"},
      {.name = "artifact-config",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "artifact configuration file"},
      {.name = "artifact-config-type",
       .kind = ValueKind::text,
       .help = "artifact configuration media type"},
      {.name = "artifact-exclude-titles", .help = "do not set the names of the files as titles of layers"},
      {.name = "artifact-layer-type", .kind = ValueKind::text, .help = "artifact layer media type"},
      {.name = "artifact-subject", .kind = ValueKind::text, .help = "artifact subject reference"},
      {.name = "artifact-type", .kind = ValueKind::text, .help = "override the artifactType value"},
  };
}

std::vector<Option> access_options(std::initializer_list<std::string_view> names) {
  std::vector<Option> chosen;
  for (Option& option : registry_access_options())
    for (const std::string_view name : names)
      if (option.name == name) {
        chosen.push_back(std::move(option));
        break;
      }
  return chosen;
}

}  // namespace

std::vector<Option> podman_create_options() {
  auto options = create_options();
  options.push_back({.name = "amend",
                     .short_name = 'a',
                     .help = "modify an existing list if one with the desired name already exists"});
  return options;
}

std::vector<Option> buildah_create_options() {
  auto options = create_options();
  options.push_back(
      {.name = "amend", .help = "modify an existing list if one with the desired name already exists"});
  options.push_back({.name = "replace", .help = "take the name from what has it"});
  return options;
}

std::vector<Option> list_add_options() {
  std::vector<Option> options = {{.name = "all", .help = "add all of the list's images if the image is a list"}};
  common::append(options, entry_options());
  common::append(options, artifact_options());
  common::append(options, access_options({"authfile", "cert-dir", "creds", "tls-verify"}));
  return options;
}

std::vector<Option> list_annotate_options() {
  auto options = entry_options();
  options.push_back({.name = "index", .help = "apply --annotation values to the image index itself"});
  options.push_back({.name = "subject",
                     .kind = ValueKind::text,
                     .help = "set the subject to which the image index refers"});
  return options;
}

std::vector<Option> list_inspect_options() {
  return access_options({"authfile", "cert-dir", "creds", "tls-verify"});
}

std::vector<Option> list_push_options() {
  std::vector<Option> options = {
      {.name = "all", .help = "also push the images in the list (default true)"},
      {.name = "rm",
       .short_name = 'p',
       .help = "remove the manifest list if push succeeds",
       .aliases = {"purge"}},
  };
  common::append(options, push_options());
  common::append(options, unavailable_options({{"add-compression", ValueKind::list}},
                                              "pushing several compressions of an image is not available in "
                                              "lade yet"));
  return options;
}

std::vector<Option> podman_rm_options() {
  return {{.name = "ignore", .short_name = 'i', .help = "Ignore errors when a specified manifest is missing"}};
}

}  // namespace lade::engines
