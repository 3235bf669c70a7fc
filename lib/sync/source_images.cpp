#include "sync/source_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "os/file.hpp"
#include "transport/docker/docker.hpp"
#include "transport/oci/layout_index.hpp"
#include "transport/transports.hpp"

namespace lade::sync {
namespace {

namespace fs = std::filesystem;

constexpr int max_depth = 64;

std::shared_ptr<const transport::Options> share(transport::Options options) {
  return std::make_shared<const transport::Options>(std::move(options));
}

SourceImage docker_image(const spec::Reference& reference) {
  return {std::make_shared<transport::DockerReference>(reference), reference.str()};
}

std::vector<SourceImage> tagged_images(const Context& context, const spec::Reference& repository,
                                       const transport::Options& options, const TagFilter& filter,
                                       Narrator& narrator) {
  narrator.tell(Level::info, "Getting tags", {{"image", repository.name()}});
  const auto tags =
      in_context([&] { return "Error determining repository tags for repo " + repository.name(); },
                 [&] { return transport::list_docker_tags(context, repository, options); });
  std::vector<SourceImage> images;
  for (const std::string& tag : tags) {
    if (!spec::is_valid_tag(tag)) {
      narrator.tell(Level::error,
                    "Error creating a tagged reference from registry tag list: invalid tag format",
                    {{"repo", repository.name()}, {"tag", tag}});
    } else if (filter(tag)) {
      images.push_back(docker_image(repository.with_tag(tag)));
    }
  }
  return images;
}

[[noreturn]] void refuse_empty(const Source& source) {
  throw Error(Kind::invalid_input, fmt::format("No images to sync found in \"{}\"", source.name));
}

SourceImages from_registry(const Context& context, const Source& source, Narrator& narrator) {
  const auto reference = in_context(
      [&] {
        return fmt::format(
            "Cannot obtain a valid image reference for transport \"docker\" and reference \"{}\"",
            source.name);
      },
      [&] { return spec::Reference::parse(source.name); });
  const bool tagged = !reference.is_name_only();
  narrator.tell(Level::info, "Tag presence check",
                {{"imagename", source.name}, {"tagged", tagged ? "true" : "false"}});
  SourceRepository repository{{}, share(source.options)};
  if (tagged) {
    repository.images.push_back(docker_image(reference));
  } else {
    repository.images =
        tagged_images(context, reference, source.options, make_tag_filter(source.tags), narrator);
    if (repository.images.empty()) refuse_empty(source);
  }
  return {{std::move(repository)}, true};
}

std::string tag_of_name(const std::string& name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos || name.find('/', colon) != std::string::npos ? ""
                                                                                  : name.substr(colon + 1);
}

// Directories of the dir: transport, in the order of their names; nothing below one is looked at.
void walk(const fs::path& directory, const fs::path& base, const TagFilter& filter, int depth,
          std::vector<SourceImage>& images) {
  if (depth > max_depth)
    throw Error(Kind::invalid_input, fmt::format("{} is nested too deeply", base.string()));
  if (fs::exists(directory / "manifest.json")) {
    const std::string inside = directory.lexically_relative(base).string();
    const std::string name = inside == "." ? fs::path(base / "").parent_path().filename().string() : inside;
    if (filter(tag_of_name(name)))
      images.push_back({transport::parse_image_name("dir:" + directory.string()), name});
    return;
  }
  std::vector<fs::path> below;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.symlink_status().type() == fs::file_type::directory) below.push_back(entry.path());
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) walk(path, base, filter, depth + 1, images);
}

SourceImages from_directory(const Source& source) {
  std::error_code error;
  if (!fs::exists(source.name, error)) {
    throw Error(
        Kind::not_found,
        fmt::format("Invalid source directory specified: stat {}: no such file or directory", source.name));
  }
  SourceRepository repository{{}, share(source.options)};
  in_context([&] { return fmt::format("Error walking the path \"{}\"", source.name); },
             [&] {
               try {
                 walk(source.name, source.name, make_tag_filter(source.tags), 0, repository.images);
               } catch (const fs::filesystem_error& failure) {
                 throw Error::from_errno(failure.code().value(), "open " + failure.path1().string());
               }
             });
  if (repository.images.empty()) refuse_empty(source);
  return {{std::move(repository)}, true};
}

SourceImages from_layout(const Source& source) {
  return in_context(
      [&] { return fmt::format("Failed to retrieve list of images from oci \"{}\"", source.name); },
      [&]() -> SourceImages {
        const fs::path file = fs::path(source.name) / transport::oci::index_file;
        const transport::oci::LayoutIndex index(os::read_file(file, transport::oci::max_index_size));
        const TagFilter filter = make_tag_filter(source.tags);
        SourceRepository repository{{}, share(source.options)};
        for (const spec::Descriptor& entry : index.manifests()) {
          const std::string name = transport::oci::LayoutIndex::name_of(entry);
          if (!name.empty() && filter(tag_of_name(name)))
            repository.images.push_back(
                {transport::parse_image_name("oci:" + source.name + ":" + name), name});
        }
        if (repository.images.empty()) refuse_empty(source);
        return {{std::move(repository)}, true};
      });
}

// Reads what one registry's entry in a YAML file names.
class EntryReader {
 public:
  EntryReader(const Context& context, const FileEntry& entry, const Source& source, Narrator& narrator,
              SourceImages& result)
      : context_(context), entry_(entry), source_(source), narrator_(narrator), result_(result) {
    transport::Options options = source.options;
    options.registry.cert_dir = entry.cert_dir;
    if (entry.tls_verify) options.registry.tls_verify = *entry.tls_verify;
    if (entry.credentials) options.registry.credentials = entry.credentials;
    options_ = share(std::move(options));
  }

  void read() {
    if (entry_.names_nothing()) {
      narrator_.tell(Level::warning, "No images specified for registry", {{"registry", entry_.registry}});
      return;
    }
    for (const auto& [repository, references] : entry_.images) {
      if (references.empty())
        add_listed(repository, [](std::string_view) { return true; });
      else
        add_named(repository, references);
    }
    add_filtered(entry_.images_by_tag_regex, matching_regex);
    add_filtered(entry_.images_by_semver, matching_versions);
  }

 private:
  Fields fields(const std::string& repository) const {
    return {{"registry", entry_.registry}, {"repo", repository}};
  }

  std::optional<spec::Reference> parse_repository(const std::string& repository) {
    try {
      auto reference = spec::Reference::parse(entry_.registry + "/" + repository);
      if (!reference.is_name_only())
        throw Error(Kind::invalid_input, "input names a reference, not a repository");
      narrator_.tell(Level::info, "Processing repo", fields(repository));
      return reference;
    } catch (const Error& error) {
      skip("Error parsing repository name, skipping", fields(repository), error);
      return std::nullopt;
    }
  }

  void skip(const std::string& message, const Fields& fields, const Error& error) {
    narrator_.tell(Level::error, message, fields);
    narrator_.tell(Level::error, error.what(), {});
    result_.complete = false;
  }

  void add(const std::string& repository, std::vector<SourceImage> images) {
    if (images.empty())
      narrator_.tell(Level::warning, "No refs to sync found", fields(repository));
    else
      result_.repositories.push_back({std::move(images), options_});
  }

  void add_named(const std::string& repository, const std::vector<std::string>& references) {
    const auto name = parse_repository(repository);
    if (!name) return;
    std::vector<SourceImage> images;
    for (const std::string& reference : references) {
      try {
        const auto digest = spec::Digest::try_parse(reference);
        images.push_back(docker_image(digest ? name->with_digest(*digest) : name->with_tag(reference)));
      } catch (const Error& error) {
        skip("Error parsing ref, skipping", {{"ref", reference}}, error);
      }
    }
    add(repository, std::move(images));
  }

  void add_listed(const std::string& repository, const TagFilter& filter) {
    const auto name = parse_repository(repository);
    if (!name) return;
    narrator_.tell(Level::info, "Querying registry for image tags", fields(repository));
    const TagFilter general = make_tag_filter(source_.tags);
    const TagFilter both = [&](std::string_view tag) { return general(tag) && filter(tag); };
    try {
      add(repository, tagged_images(context_, *name, *options_, both, narrator_));
    } catch (const Error& error) {
      skip("Error processing repo, skipping", fields(repository), error);
    }
  }

  void add_filtered(const std::vector<std::pair<std::string, std::string>>& repositories,
                    TagFilter (*make)(const std::string&)) {
    for (const auto& [repository, rule] : repositories) {
      try {
        add_listed(repository, make(rule));
      } catch (const Error& error) {
        skip("Error processing repo, skipping", fields(repository), error);
      }
    }
  }

  const Context& context_;
  const FileEntry& entry_;
  const Source& source_;
  Narrator& narrator_;
  SourceImages& result_;
  std::shared_ptr<const transport::Options> options_;
};

// What was typed for one registry is shown to no other.
void refuse_shared_secrets(const SourceFile& file, const Source& source) {
  const auto& registry = source.options.registry;
  if (file.registries.size() < 2 || (!registry.credentials && registry.registry_token.empty())) return;
  throw Error(
      Kind::invalid_input,
      fmt::format("\"{}\" names several registries: credentials on the command line would be sent to all of "
                  "them; put them into the file, or log in",
                  source.name));
}

SourceImages from_file(const Context& context, const Source& source, Narrator& narrator) {
  const SourceFile file = SourceFile::parse(os::read_file(source.name, max_source_file), source.name);
  for (const std::string& warning : file.warnings) narrator.tell(Level::warning, warning, {});
  refuse_shared_secrets(file, source);
  SourceImages result;
  for (const FileEntry& entry : file.registries) EntryReader(context, entry, source, narrator, result).read();
  return result;
}

}  // namespace

SourceImages find_source_images(const Context& context, const Source& source, Narrator& narrator) {
  if (source.transport == "docker") return from_registry(context, source, narrator);
  if (source.transport == "dir") return from_directory(source);
  if (source.transport == "oci") return from_layout(source);
  if (source.transport == "yaml") return from_file(context, source, narrator);
  throw Error(Kind::invalid_input, fmt::format("\"{}\" is not a valid source transport", source.transport));
}

}  // namespace lade::sync
