// Which names were seen, in eight to sixteen bytes a name however long it is.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::archive {

// Holds hashes only: contains() may say yes for a name that was never inserted (about one in 2^64 / size),
// and never no for one that was. Callers MUST be right either way.
class NameSet {
 public:
  static std::uint64_t hash(std::string_view name) { return std::hash<std::string_view>()(name); }

  bool contains(std::uint64_t hash) const { return !slots_.empty() && slots_[find(slots_, used(hash))] != 0; }
  // False if it was there.
  bool insert(std::uint64_t hash) {
    if ((count_ + 1) * 3 > slots_.size() * 2) grow();
    std::uint64_t& slot = slots_[find(slots_, used(hash))];
    if (slot != 0) return false;
    slot = used(hash);
    ++count_;
    return true;
  }

 private:
  // Zero marks a free slot.
  static std::uint64_t used(std::uint64_t hash) { return hash == 0 ? 1 : hash; }

  static std::size_t find(const std::vector<std::uint64_t>& slots, std::uint64_t hash) {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = static_cast<std::size_t>(hash * 0x9E3779B97F4A7C15U >> 32) & mask;
    while (slots[at] != 0 && slots[at] != hash) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<std::uint64_t> larger(slots_.empty() ? 64 : slots_.size() * 2);
    for (const std::uint64_t hash : slots_)
      if (hash != 0) larger[find(larger, hash)] = hash;
    slots_ = std::move(larger);
  }

  std::vector<std::uint64_t> slots_;
  std::size_t count_ = 0;
};

}  // namespace lade::archive
