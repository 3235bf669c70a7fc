#include "transport/sif/sif_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/error.hpp"
#include "io/stream.hpp"
#include "os/file.hpp"

namespace lade::transport::sif {
namespace {

constexpr std::size_t header_size = 128;
constexpr std::size_t descriptor_size = 585;
constexpr std::uint64_t max_descriptors = 4096;
constexpr std::size_t magic_offset = 32, version_offset = 42, architecture_offset = 45, id_offset = 48,
                      modified_offset = 72, total_offset = 88, table_offset = 96;
constexpr std::size_t extra_offset = 201, name_offset = 73, name_size = 128;
constexpr std::string_view magic = "SIF_MAGIC";

// Little-endian numbers in packed structures.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t offset, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(bytes_[offset + i]);
    return value;
  }
  // Up to the first NUL.
  std::string text(std::size_t offset, std::size_t size) const {
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + offset;
    return {begin, std::find(begin, begin + size, '\0')};
  }

 private:
  std::span<const std::byte> bytes_;
};

std::string go_architecture(const std::string& code) {
  static constexpr std::array<std::string_view, 13> names = {
      "unknown", "386",    "amd64",  "arm",      "arm64", "ppc64",  "ppc64le",
      "mips",    "mipsle", "mips64", "mips64le", "s390x", "riscv64"};
  if (code.size() != 2 || code[0] < '0' || code[0] > '1' || code[1] < '0' || code[1] > '9') return "unknown";
  const auto index = static_cast<std::size_t>((code[0] - '0') * 10 + (code[1] - '0'));
  return std::string(index < names.size() ? names[index] : names[0]);
}

std::string format_uuid(std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

[[noreturn]] void refuse_file(std::string_view reason) {
  throw Error(Kind::invalid_input, fmt::format("not a valid SIF file: {}", reason));
}

DataObject read_descriptor(const Fields& fields, std::uint64_t file_size) {
  DataObject object;
  object.type = static_cast<DataObject::Type>(fields.number(0, 4));
  object.offset = fields.number(17, 8);
  object.size = fields.number(25, 8);
  object.name = fields.text(name_offset, name_size);
  if (object.offset > file_size || object.size > file_size - object.offset)
    refuse_file(fmt::format("object \"{}\" lies outside of the file", object.name));
  if (object.type == DataObject::Type::partition) {
    object.file_system = static_cast<std::uint32_t>(fields.number(extra_offset, 4));
    object.partition = static_cast<std::uint32_t>(fields.number(extra_offset + 4, 4));
    object.architecture = go_architecture(fields.text(extra_offset + 8, 3));
  }
  return object;
}

}  // namespace

SifFile SifFile::open(const std::string& path) {
  SifFile result;
  result.file_ = std::make_shared<const os::UniqueFd>(os::open_file(path, O_RDONLY));
  const auto status = os::stat_of(*result.file_);
  if (!S_ISREG(status.st_mode)) refuse_file("it is no regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < header_size) refuse_file("it is too short");
  std::array<std::byte, header_size> header;
  os::RangeReader reader(result.file_, 0, header_size);
  io::read_full(reader, header);
  const Fields fields(header);
  if (fields.text(magic_offset, 10) != magic) refuse_file("the magic bytes are missing");
  if (fields.text(version_offset, 3) != "01")
    refuse_file(fmt::format("version \"{}\" is not known", fields.text(version_offset, 3)));
  result.architecture_ = go_architecture(fields.text(architecture_offset, 3));
  result.id_ = format_uuid(std::span(header).subspan(id_offset, 16));
  result.modified_ = static_cast<std::int64_t>(fields.number(modified_offset, 8));

  const std::uint64_t count = fields.number(total_offset, 8), table = fields.number(table_offset, 8);
  if (count > max_descriptors || table > size || count * descriptor_size > size - table)
    refuse_file("the table of objects lies outside of the file");
  os::RangeReader descriptors(result.file_, table, count * descriptor_size);
  std::array<std::byte, descriptor_size> descriptor;
  for (std::uint64_t i = 0; i < count; ++i) {
    io::read_full(descriptors, descriptor);
    const Fields one(descriptor);
    if (one.number(4, 1) != 0) result.objects_.push_back(read_descriptor(one, size));
  }
  return result;
}

const DataObject* SifFile::find(DataObject::Type type) const {
  const auto found = std::find_if(objects_.begin(), objects_.end(),
                                  [&](const DataObject& object) { return object.type == type; });
  return found == objects_.end() ? nullptr : &*found;
}

const DataObject& SifFile::root() const {
  const auto found = std::find_if(objects_.begin(), objects_.end(), [](const DataObject& object) {
    return object.type == DataObject::Type::partition && object.partition == primary_system;
  });
  if (found == objects_.end())
    throw Error(Kind::invalid_input, "looking up rootfs from SIF file: object not found");
  return *found;
}

std::string SifFile::read(const DataObject& object, std::uint64_t limit) const {
  os::RangeReader reader(file_, object.offset, object.size);
  return io::read_all(reader, limit, object.name);
}

}  // namespace lade::transport::sif
