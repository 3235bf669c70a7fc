// The part of plan() that is about the file system.
#pragma once

#include "runtime/plan.hpp"

namespace lade::runtime {

struct MountPlanning {
  const Spec& spec;
  const Host& host;
  const PlanOptions& options;
  bool in_user_namespace;  // other than the host's
  bool opens_sources;      // before the container's namespaces are made
};

// Appends to plan.steps and plan.sources.
void plan_mounts(const MountPlanning& in, Plan& plan);
void plan_devices(const MountPlanning& in, Plan& plan);

// MS_* for "shared", "rslave", ...; Kind::invalid_input for other words. 0 for "".
unsigned long parse_propagation(const std::string& word);

}  // namespace lade::runtime
