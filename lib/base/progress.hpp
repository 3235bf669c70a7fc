// Events of a copy, for whoever shows them. The library never prints.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lade {

// One transfer, alive while it runs. Destroyed without finish(): it failed or was cancelled.
class Transfer {
 public:
  enum class Outcome { done, already_exists, mounted };

  virtual ~Transfer() = default;
  virtual void advance(std::uint64_t bytes) noexcept = 0;
  virtual void finish(Outcome outcome) noexcept = 0;
};

// Thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;
  // A step in words, such as "Getting image source signatures".
  virtual void step(std::string_view words) = 0;
  // `noun` is "blob" or "config"; `digest` is "sha256:<hex>"; size nullopt if unknown.
  virtual std::unique_ptr<Transfer> start(std::string_view noun, std::string_view digest,
                                          std::optional<std::uint64_t> size) = 0;
};

// Shows nothing.
Progress& silent_progress();

}  // namespace lade
