#include "archive/squashfs.hpp"

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "base/error.hpp"

namespace lade::archive {
namespace {

constexpr std::size_t max_depth = 1024;
constexpr std::uint32_t no_attributes = 0xFFFFFFFF;
constexpr std::size_t max_attributes = 64 * 1024;  // bytes of one inode's
constexpr std::size_t data_buffer = 1 << 20;

struct Destroy {
  template <class Object>
  void operator()(Object* object) const {
    sqfs_destroy(object);
  }
};
template <class Object>
using Owned = std::unique_ptr<Object, Destroy>;

struct Release {
  void operator()(void* memory) const { sqfs_free(memory); }
};
template <class Object>
using Allocated = std::unique_ptr<Object, Release>;

void check(int status, const char* what) {
  if (status == 0) return;
  if (status == SQFS_ERROR_ALLOC) throw std::bad_alloc();
  if (status == SQFS_ERROR_UNSUPPORTED)
    throw Error(Kind::unsupported,
                std::string("squashfs: the compression of this image is not supported (") + what + ")");
  throw Error(Kind::invalid_input, std::string("squashfs: the image is damaged (") + what + ")");
}

// The part of the file that is the image, as libsquashfs reads files. Lives on the stack of whoever reads.
struct Part {
  sqfs_file_t interface {};
  int file = -1;
  std::uint64_t offset = 0, size = 0;

  Part(const os::UniqueFd& image, std::uint64_t begin, std::uint64_t length)
      : file(image.get()), offset(begin), size(length) {
    interface.base.destroy = [](sqfs_object_t*) {};
    interface.base.copy = nullptr;
    interface.read_at = read_at;
    interface.write_at = [](sqfs_file_t*, sqfs_u64, const void*, size_t) -> int { return SQFS_ERROR_IO; };
    interface.get_size = [](const sqfs_file_t* self) { return reinterpret_cast<const Part*>(self)->size; };
    interface.truncate = [](sqfs_file_t*, sqfs_u64) -> int { return SQFS_ERROR_IO; };
  }

  static int read_at(sqfs_file_t* self, sqfs_u64 position, void* buffer, size_t count) {
    const auto& part = *reinterpret_cast<const Part*>(self);
    if (position > part.size || count > part.size - position) return SQFS_ERROR_OUT_OF_BOUNDS;
    auto* bytes = static_cast<std::byte*>(buffer);
    while (count > 0) {
      const ssize_t got = ::pread(part.file, bytes, count, static_cast<off_t>(part.offset + position));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return SQFS_ERROR_IO;
      bytes += got;
      position += static_cast<sqfs_u64>(got);
      count -= static_cast<std::size_t>(got);
    }
    return 0;
  }
};
static_assert(std::is_standard_layout_v<Part>);  // a pointer to it is one to its first member

using Inode = Allocated<sqfs_inode_generic_t>;

struct Member {
  std::string name;
  Inode inode;
};

bool is_safe(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

class Image {
 public:
  Image(const Context& context, Part& part, const std::set<std::string>& except, TarWriter& tar)
      : context_(context), except_(except), tar_(tar), file_(&part.interface) {
    check(sqfs_super_read(&super_, file_), "super block");
    sqfs_compressor_config_t config;
    check(sqfs_compressor_config_init(&config, static_cast<SQFS_COMPRESSOR>(super_.compression_id),
                                      super_.block_size, SQFS_COMP_FLAG_UNCOMPRESS),
          "compression");
    sqfs_compressor_t* compressor = nullptr;
    check(sqfs_compressor_create(&config, &compressor), "compression");
    compressor_.reset(compressor);
    if (super_.flags & SQFS_FLAG_COMPRESSOR_OPTIONS)
      check(compressor_->read_options(compressor_.get(), file_), "compressor options");
    ids_.reset(need(sqfs_id_table_create(0)));
    check(sqfs_id_table_read(ids_.get(), file_, &super_, compressor_.get()), "table of owners");
    directories_.reset(need(sqfs_dir_reader_create(&super_, compressor_.get(), file_, 0)));
    data_.reset(need(sqfs_data_reader_create(file_, super_.block_size, compressor_.get(), 0)));
    check(sqfs_data_reader_load_fragment_table(data_.get(), &super_), "table of fragments");
    attributes_.reset(need(sqfs_xattr_reader_create(0)));
    check(sqfs_xattr_reader_load(attributes_.get(), &super_, file_, compressor_.get()),
          "table of attributes");
  }

  void write() {
    sqfs_inode_generic_t* root = nullptr;
    check(sqfs_dir_reader_get_root_inode(directories_.get(), &root), "root directory");
    const Inode owned(root);
    if (!is_directory(*owned)) check(SQFS_ERROR_CORRUPTED, "root directory");
    write_directory("", *owned);
  }

 private:
  template <class Object>
  static Object* need(Object* object) {
    if (object == nullptr) throw std::bad_alloc();
    return object;
  }

  static bool is_directory(const sqfs_inode_generic_t& inode) {
    return inode.base.type == SQFS_INODE_DIR || inode.base.type == SQFS_INODE_EXT_DIR;
  }

  // Whole, because reading another directory forgets where this one was.
  std::vector<Member> read_directory(const sqfs_inode_generic_t& directory) {
    check(sqfs_dir_reader_open_dir(directories_.get(), &directory, 0), "directory");
    std::vector<Member> members;
    for (;;) {
      context_.throw_if_stopped();
      sqfs_dir_entry_t* read = nullptr;
      const int status = sqfs_dir_reader_read(directories_.get(), &read);
      if (status > 0) break;
      check(status, "directory entry");
      const Allocated<sqfs_dir_entry_t> entry(read);
      std::string name(reinterpret_cast<const char*>(entry->name), std::size_t{entry->size} + 1);
      if (!is_safe(name)) check(SQFS_ERROR_CORRUPTED, "name in a directory");
      if (++count_ > max_squashfs_members)
        throw Error(Kind::invalid_input, "squashfs: the image has too many files");
      sqfs_inode_generic_t* inode = nullptr;
      check(sqfs_dir_reader_get_inode(directories_.get(), &inode), "inode");
      members.push_back({std::move(name), Inode(inode)});
    }
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.name < b.name; });
    return members;
  }

  void write_directory(const std::string& path, const sqfs_inode_generic_t& inode) {
    // A directory that contains itself would never end.
    if (ancestors_.size() >= max_depth || !ancestors_.insert(inode.base.inode_number).second)
      check(SQFS_ERROR_LINK_LOOP, "directories within each other");
    if (!path.empty()) add(path + "/", TarType::directory, inode);
    for (const Member& member : read_directory(inode)) {
      std::string name = path;
      if (!name.empty()) name += '/';
      name += member.name;
      if (except_.contains(name)) continue;
      if (is_directory(*member.inode))
        write_directory(name, *member.inode);
      else
        write_member(name, *member.inode);
    }
    ancestors_.erase(inode.base.inode_number);
  }

  void write_member(const std::string& name, const sqfs_inode_generic_t& inode) {
    const auto [first, is_new] = inodes_.emplace(inode.base.inode_number, name);
    if (!is_new) {
      TarHeader link;
      link.name = name;
      link.link = first->second;
      link.type = TarType::hard_link;
      return tar_.add(link);
    }
    switch (inode.base.type) {
      case SQFS_INODE_FILE:
      case SQFS_INODE_EXT_FILE: return write_file(name, inode);
      case SQFS_INODE_SLINK:
      case SQFS_INODE_EXT_SLINK: return add(name, TarType::symlink, inode);
      case SQFS_INODE_BDEV:
      case SQFS_INODE_EXT_BDEV: return add(name, TarType::block_device, inode);
      case SQFS_INODE_CDEV:
      case SQFS_INODE_EXT_CDEV: return add(name, TarType::char_device, inode);
      case SQFS_INODE_FIFO:
      case SQFS_INODE_EXT_FIFO: return add(name, TarType::fifo, inode);
      default: inodes_.erase(inode.base.inode_number);  // a socket
    }
  }

  void write_file(const std::string& name, const sqfs_inode_generic_t& inode) {
    sqfs_u64 size = 0;
    check(sqfs_inode_get_file_size(&inode, &size), "file size");
    if (size > max_squashfs_size || (total_ += size) > max_squashfs_size)
      throw Error(Kind::invalid_input, "squashfs: the files of the image are too large");
    TarHeader header = header_of(name, TarType::regular, inode);
    header.size = size;
    tar_.begin(header);
    buffer_.resize(data_buffer);
    for (std::uint64_t at = 0; at < size;) {
      context_.throw_if_stopped();
      const auto wanted = static_cast<sqfs_u32>(std::min<std::uint64_t>(size - at, buffer_.size()));
      const sqfs_s32 got = sqfs_data_reader_read(data_.get(), &inode, at, buffer_.data(), wanted);
      if (got <= 0) check(got < 0 ? got : SQFS_ERROR_CORRUPTED, "content of a file");
      tar_.write(io::Bytes(buffer_.data(), static_cast<std::size_t>(got)));
      at += static_cast<std::uint64_t>(got);
    }
    tar_.end_member();
  }

  void add(const std::string& name, TarType type, const sqfs_inode_generic_t& inode) {
    TarHeader header = header_of(name, type, inode);
    if (type == TarType::symlink) {
      const auto* target = reinterpret_cast<const char*>(inode.extra);
      const sqfs_u32 length = inode.base.type == SQFS_INODE_SLINK ? inode.data.slink.target_size
                                                                  : inode.data.slink_ext.target_size;
      header.link.assign(target, std::min(length, inode.payload_bytes_used));
      if (header.link.empty() || header.link.find('\0') != std::string::npos)
        check(SQFS_ERROR_CORRUPTED, "link");
    } else if (type == TarType::block_device || type == TarType::char_device) {
      const bool extended = inode.base.type == SQFS_INODE_EXT_BDEV || inode.base.type == SQFS_INODE_EXT_CDEV;
      const sqfs_u32 number = extended ? inode.data.dev_ext.devno : inode.data.dev.devno;
      // As the kernel packs 32 bits: new_decode_dev().
      header.device_major = (number >> 8) & 0xfff;
      header.device_minor = (number & 0xff) | ((number >> 12) & 0xfff00);
    }
    tar_.add(header);
  }

  TarHeader header_of(const std::string& name, TarType type, const sqfs_inode_generic_t& inode) {
    TarHeader header;
    header.name = name;
    header.type = type;
    header.mode = inode.base.mode & 07777;
    check(sqfs_id_table_index_to_id(ids_.get(), inode.base.uid_idx, &header.uid), "owner");
    check(sqfs_id_table_index_to_id(ids_.get(), inode.base.gid_idx, &header.gid), "group");
    header.mtime.seconds = inode.base.mod_time;
    read_attributes(inode, header.pax);
    return header;
  }

  void read_attributes(const sqfs_inode_generic_t& inode, PaxRecords& records) {
    sqfs_u32 index = no_attributes;
    check(sqfs_inode_get_xattr_index(&inode, &index), "attributes");
    if (index == no_attributes) return;
    sqfs_xattr_id_t description{};
    check(sqfs_xattr_reader_get_desc(attributes_.get(), index, &description), "attributes");
    if (description.count == 0) return;
    check(sqfs_xattr_reader_seek_kv(attributes_.get(), &description), "attributes");
    std::size_t bytes = 0;
    for (sqfs_u32 i = 0; i < description.count; ++i) {
      sqfs_xattr_entry_t* key = nullptr;
      check(sqfs_xattr_reader_read_key(attributes_.get(), &key), "name of an attribute");
      const Allocated<sqfs_xattr_entry_t> owned_key(key);
      sqfs_xattr_value_t* value = nullptr;
      check(sqfs_xattr_reader_read_value(attributes_.get(), key, &value), "value of an attribute");
      const Allocated<sqfs_xattr_value_t> owned_value(value);
      const std::string name(reinterpret_cast<const char*>(key->key));
      bytes += name.size() + value->size;
      if (bytes > max_attributes)
        throw Error(Kind::invalid_input, "squashfs: a file has too many attributes");
      records["SCHILY.xattr." + name] = std::string(reinterpret_cast<const char*>(value->value), value->size);
    }
  }

  const Context& context_;
  const std::set<std::string>& except_;
  TarWriter& tar_;
  sqfs_file_t* file_;
  sqfs_super_t super_{};
  Owned<sqfs_compressor_t> compressor_;
  Owned<sqfs_id_table_t> ids_;
  Owned<sqfs_dir_reader_t> directories_;
  Owned<sqfs_data_reader_t> data_;
  Owned<sqfs_xattr_reader_t> attributes_;
  std::set<sqfs_u32> ancestors_;
  std::map<sqfs_u32, std::string> inodes_;  // the first name of each file
  std::vector<std::byte> buffer_;
  std::uint64_t count_ = 0, total_ = 0;
};

}  // namespace

void squashfs_to_tar(const Context& context, const std::shared_ptr<const os::UniqueFd>& file,
                     std::uint64_t offset, std::uint64_t size, const std::set<std::string>& except,
                     TarWriter& tar) {
  Part part(*file, offset, size);
  Image(context, part, except, tar).write();
}

}  // namespace lade::archive
