// What a sync is going to do, before it does anything.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sync/sync.hpp"

namespace lade::sync {

struct Task {
  SourceImage image;
  std::shared_ptr<const transport::Options> options;  // of the source
  Target target;
  std::size_t number = 0, total = 0;  // within its repository, from 1
};

struct Plan {
  std::vector<Task> tasks;  // those of this shard
  std::size_t sources = 0;
  // Of the destination: repository -> tags that it is to have, of all shards.
  std::map<std::string, std::set<std::string>> tags;
  bool complete = true;
};

// Kind::invalid_input if two different images would get one name, or a directory is in the way.
Plan make_plan(const Context& context, const Source& source, const Destination& destination,
               const SyncOptions& options, Narrator& narrator);

}  // namespace lade::sync
