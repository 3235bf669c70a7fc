// Brings a destination up to date with a source: many images, several at once, each copied only if it
// changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "copy/copy.hpp"
#include "sync/destination.hpp"
#include "sync/source_images.hpp"
#include "trust/policy.hpp"

namespace lade::sync {

// One of `count` parts of a sync; every image belongs to exactly one, the same on every machine.
struct Shard {
  std::uint64_t index = 1;  // from 1
  std::uint64_t count = 1;

  // "I/N"; Kind::invalid_input unless 1 <= I <= N.
  static Shard parse(std::string_view text);
  bool contains(const std::string& name) const;
};

struct SyncOptions {
  copy::CopyOptions copy;  // `source` and `destination` of it are not looked at
  NameRule names;
  unsigned jobs = 1;    // images at once
  unsigned newest = 0;  // so many of each repository, by the time they were created; 0: all
  Shard shard;
  bool dry_run = false;
  bool keep_going = false;
  bool replace = false;  // dir: directories that are there are brought up to date, not refused
  bool prune = false;    // tags of the same repositories at the destination that the source does not have go
  std::filesystem::path journal;  // "": none
  // Repeats what fails for a reason that may pass; empty: tries once.
  std::function<void(const Context& context, const std::function<void()>& operation)> retry;
};

struct SyncResult {
  struct Image {
    std::string destination;  // "transport:name"
    spec::Digest digest;      // of the manifest there
  };
  std::vector<Image> images;  // in the order of the source
  bool failed = false;        // with keep_going: some could not be copied
};

// The first failure ends it unless `keep_going`; images that are complete by then stay.
SyncResult sync(const Context& context, const trust::PolicyContext& policy, const Source& source,
                const Destination& destination, const SyncOptions& options, Narrator& narrator);

}  // namespace lade::sync
