// Moving or copying all images from one place to another: stores, docker daemons, OCI layouts.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "config/environment.hpp"
#include "transport/options.hpp"
#include "trust/policy.hpp"

namespace lade::engine {

struct MigrationPlace {
  enum class Kind { store, daemon, layout };
  Kind kind = Kind::store;
  std::string text;                 // as it was given
  std::string directory = {};       // of a layout
  transport::Options options = {};  // .store is set for a store, .docker_daemon for a daemon
};

// "[driver@root+runroot:options]", "containers-storage:", "containers-storage:[...]", "docker-daemon:",
// "oci:DIR". `options` says how a daemon is reached. Kind::invalid_input for anything else.
MigrationPlace parse_migration_place(const std::string& text, const config::Environment& environment,
                                     transport::Options options);

struct MigrateOptions {
  bool move = false;     // images are removed from the source once they were read again at the destination
  bool dry_run = false;  // nothing is written
  std::size_t jobs = 4;  // images and layers at a time
};

// What became of one image or container.
struct MigrationEvent {
  enum class What {
    planned,  // of a dry run
    copied,
    completed,  // its content was there, some of its names or documents were not
    present,    // nothing was to be done
    removed,    // from the source
    kept,       // in the source, although it was to be moved: `reason`
    left,       // not taken: `reason`
    failed,     // `reason`
  };
  What what = What::copied;
  std::string subject;  // "image <id>", "container <id>"
  std::vector<std::string> names = {};
  std::string reason = {};
};

struct MigrationSummary {
  std::size_t planned = 0, copied = 0, completed = 0, present = 0, removed = 0, kept = 0, left = 0,
              failed = 0;
};

// An image that cannot be migrated does not hinder the others. What is at the destination already is not
// copied again, so that an interrupted migration goes on where it was. Containers stay. `say` is called by
// one thread at a time. Kind::invalid_input for two names of one place, Kind::unsupported for moving out of a
// daemon, Kind::denied for a store of somebody else.
MigrationSummary migrate(const Context& context, const trust::PolicyContext& policy,
                         const MigrationPlace& from, const MigrationPlace& to, const MigrateOptions& options,
                         const std::function<void(const MigrationEvent&)>& say);

}  // namespace lade::engine
