// The files of a store's layers by the digests of their contents, as far as tables of contents tell them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "layer/chunked_plan.hpp"
#include "os/root.hpp"
#include "store/store.hpp"

namespace lade::transport::containers_storage {

// A snapshot: layers that come later are not in it. 56 bytes, and the name, for each file and chunk.
class LayerContents final : public layer::LocalContents {
 public:
  // `max_entries`: what is beyond that is not known, with a line in the debug log.
  static constexpr std::size_t default_max_entries = 4'000'000;
  LayerContents(const Context& context, const store::Store& store,
                std::size_t max_entries = default_max_entries);

  // Only what is there, as a regular file that is large enough.
  std::optional<layer::LocalContent> find(const spec::Digest& digest, std::uint64_t size) const override;
  // The file from content.offset on. Kind::not_found if it is gone.
  std::unique_ptr<io::Reader> open(const layer::LocalContent& content) const;

 private:
  struct Entry {
    std::array<std::uint8_t, 32> digest;
    std::uint32_t tree = 0;
    std::uint32_t name_size = 0;
    std::uint64_t name = 0;  // where it is in names_
    std::uint64_t offset = 0, size = 0;
  };

  void add_layer(const store::Store& store, const std::string& layer, const std::string& toc);
  void add(const spec::Digest& digest, std::uint32_t tree, std::uint64_t name, std::uint32_t name_size,
           std::uint64_t offset, std::uint64_t size);
  os::UniqueFd open_file(std::size_t tree, const std::string& path) const;

  std::size_t max_entries_;
  std::vector<std::unique_ptr<const os::Root>> trees_;
  std::vector<Entry> entries_;  // by digest
  std::string names_;
};

}  // namespace lade::transport::containers_storage
