// Singularity image files, format 01 (github.com/sylabs/sif): a header, a table of descriptors, data objects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/unique_fd.hpp"

namespace lade::transport::sif {

struct DataObject {
  enum class Type : std::uint32_t {
    definition = 0x4001,
    environment = 0x4002,
    labels = 0x4003,
    partition = 0x4004
  };

  Type type{};
  std::uint64_t offset = 0, size = 0;
  std::string name;
  // Of a partition.
  std::uint32_t file_system = 0, partition = 0;
  std::string architecture;  // as Go names it; "unknown"
};

inline constexpr std::uint32_t squashfs = 1;        // DataObject::file_system
inline constexpr std::uint32_t primary_system = 2;  // DataObject::partition

class SifFile {
 public:
  // Kind::invalid_input for what is no SIF file, or one whose objects lie outside of it.
  static SifFile open(const std::string& path);

  const std::shared_ptr<const os::UniqueFd>& file() const { return file_; }
  const std::string& id() const { return id_; }        // "a1b2...-...", a UUID
  std::int64_t modified() const { return modified_; }  // seconds since 1970
  const std::string& architecture() const { return architecture_; }
  const std::vector<DataObject>& objects() const { return objects_; }  // those in use

  const DataObject* find(DataObject::Type type) const;  // the first one; nullptr
  // The root file system. Kind::invalid_input if there is none.
  const DataObject& root() const;
  std::string read(const DataObject& object, std::uint64_t limit) const;

 private:
  std::shared_ptr<const os::UniqueFd> file_;
  std::string id_, architecture_;
  std::int64_t modified_ = 0;
  std::vector<DataObject> objects_;
};

}  // namespace lade::transport::sif
