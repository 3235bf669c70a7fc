// The maps of new user namespaces.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/context.hpp"
#include "runtime/host.hpp"
#include "runtime/plan.hpp"

namespace lade::runtime {

// Written by this process where it may, else by newuidmap(1) and newgidmap(1).
void write_id_maps(const Context& context, const Host& host, pid_t pid, const std::vector<IdMapping>& uids,
                   const std::vector<IdMapping>& gids);
void write_id_maps_of_root(pid_t pid, const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids);

// Whether setgroups(2) works in a namespace that has its maps from write_id_maps.
bool maps_allow_setgroups(const Host& host, const Plan& plan);

}  // namespace lade::runtime
