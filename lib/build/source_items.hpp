// The files that `copy` and `add` were told to take, as entries of a tar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "build/content_stream.hpp"
#include "build/patterns.hpp"
#include "os/root.hpp"

namespace lade::build {

struct Owner {
  std::uint32_t uid = 0, gid = 0;
};

// How entries differ from the files they are made of.
struct EntryChanges {
  std::optional<Owner> owner;
  std::optional<std::uint32_t> mode;  // permissions
  std::optional<std::int64_t> mtime;  // seconds
};

struct SourceItem {
  std::string path;         // below the root, "" for the root itself
  struct ::stat stat {};    // of what it is, links followed
  bool is_archive = false;  // to be unpacked
};

// Whether a regular file is a tar, compressed or not.
bool is_archive(const os::Root& root, const std::string& path);

// The entries of one item: a directory's contents, a file under `name`, or an archive's. `root` and
// `excludes` MUST outlive the result. `prefix` goes before every name ("" or "a/b").
ContentStream::Next entries_of_item(const Context& context, const os::Root& root, const SourceItem& item,
                                    const std::string& name, const std::string& prefix,
                                    const EntryChanges& changes, const ExcludePatterns& excludes);

// The directories on the way to `path`, which is below the root: for --parents.
ContentStream::Next entries_of_parents(const os::Root& root, const std::string& path, std::size_t skipped,
                                       const EntryChanges& changes);

// One tar with the members of several. The readers MUST outlive it.
std::unique_ptr<io::Reader> joined_tars(const std::vector<io::Reader*>& tars);

// A file that was downloaded; `modified` in seconds after 1970.
ContentEntry entry_of_download(const std::filesystem::path& file, const std::string& name,
                               std::int64_t modified, const EntryChanges& changes);

}  // namespace lade::build
