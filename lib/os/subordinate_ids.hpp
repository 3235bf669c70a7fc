// The IDs that a user may use in user namespaces beside their own: subuid(5), subgid(5).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lade::os {

struct IdRange {
  std::uint32_t first = 0, count = 0;  // count > 0; the last is below 2^32 - 1, which is no ID

  bool operator==(const IdRange&) const = default;
};

// One line of /proc/PID/uid_map: `count` IDs from `inside` on are, seen from outside, those from `outside`.
struct IdMapping {
  std::uint32_t inside = 0, outside = 0, count = 0;

  bool operator==(const IdMapping&) const = default;
};

// The lines "owner:first:count" of such a file whose owner is `user` or the number `uid`, in their order.
// Lines of others may be anything. `file` is its name, for errors. Kind::invalid_input if one of the user's
// lines is malformed; Kind::unsupported for more ranges than the kernel takes (339).
std::vector<IdRange> parse_subordinate_ids(std::string_view text, std::string_view user, uid_t uid,
                                           std::string_view file);

// What getsubids(1) prints: lines "0: user first count". Errors as above.
std::vector<IdRange> parse_getsubids(std::string_view text);

// Whether nsswitch.conf(5) names another place than the files ("subid: sss").
bool has_subid_service(std::string_view nsswitch);

// 0 for `own`, then the ranges one after the other from 1. Kind::invalid_input if there are more than 2^32
// IDs.
std::vector<IdMapping> map_own_and_ranges(std::uint32_t own, const std::vector<IdRange>& ranges);

}  // namespace lade::os
