// The format of docker save: manifest.json names configs and layers, which are files of a tar. Internal to
// docker_archive/ and docker_daemon/.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_index.hpp"
#include "base/context.hpp"
#include "spec/reference.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::docker_archive {

inline constexpr std::string_view manifest_file = "manifest.json";

// What follows "docker-archive:".
struct ArchiveName {
  std::string path;
  std::optional<spec::Reference> reference;  // with a tag
  std::optional<std::size_t> index;          // position in manifest.json

  std::string str() const;
};

// Kind::invalid_input "docker-archive reference X isn't of the form <path>[:<reference>]" and others.
ArchiveName parse_archive_name(std::string_view text);

// One image of an archive.
struct Item {
  std::string config;               // path in the archive
  std::vector<std::string> tags;    // as they stand
  std::vector<std::string> layers;  // paths, bottom first
};

// An archive that can be read at any place. Thread-safe.
class Archive {
 public:
  Archive(const Context& context, const std::string& path, const std::string& spool_dir);
  explicit Archive(archive::TarIndex tar);

  const std::vector<Item>& items() const { return items_; }
  // Kind::invalid_input `Tag "x" not found`, "Unexpected tar manifest.json: expected 1 item, got N",
  // "Invalid source index @N, only M manifest items available".
  const Item& choose(const ArchiveName& name) const;

  // Kind::not_found `loading tar component "x": file does not exist`.
  const archive::TarEntry& entry(const std::string& path) const;
  std::unique_ptr<io::Reader> open(const archive::TarEntry& entry) const { return tar_.open(entry); }
  // A small file.
  std::string read(const std::string& path, std::uint64_t limit) const;

 private:
  archive::TarIndex tar_;
  std::vector<Item> items_;
};

std::unique_ptr<ImageSource> open_source(const Context& context, const ArchiveName& name,
                                         const Options& options);
// The only image of an archive; `transport` is for messages.
std::unique_ptr<ImageSource> open_source(const Context& context, Archive archive, std::string_view transport);
std::unique_ptr<ImageDestination> open_destination(const ArchiveName& name, const Options& options);

class Writer;
// For `preserve`, layers stay compressed as they come.
DestinationTraits destination_traits(DestinationTraits::Layers layers);
// commit() finishes the writer.
std::unique_ptr<ImageDestination> make_destination(DestinationTraits traits,
                                                   std::vector<spec::Reference> tags,
                                                   std::unique_ptr<Writer> writer);

}  // namespace lade::transport::docker_archive
