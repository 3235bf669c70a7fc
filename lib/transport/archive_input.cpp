#include "transport/archive_input.hpp"

#include <unistd.h>

#include <array>

#include "io/codec/codec.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"

namespace lade::transport {

namespace {

bool is_plain_file(const os::UniqueFd& file) {
  if (!S_ISREG(os::stat_of(file).st_mode)) return false;
  std::array<std::byte, 8> head{};
  const auto n = ::pread(file.get(), head.data(), head.size(), 0);
  if (n < 0) throw Error::from_errno(errno, "read");
  return io::detect_compression(io::Bytes(head).first(static_cast<std::size_t>(n))) == io::Compression::none;
}

class FdWriter final : public io::Writer {
 public:
  FdWriter(const Context& context, const os::UniqueFd& fd) : context_(context), fd_(fd) {}
  void write(io::Bytes data) override {
    context_.throw_if_stopped();
    os::write_all(fd_, data);
  }

 private:
  const Context& context_;
  const os::UniqueFd& fd_;
};

}  // namespace

std::shared_ptr<const os::UniqueFd> open_plain_tar(const Context& context, const std::string& path,
                                                   const std::string& spool_dir) {
  return in_context([&] { return "opening file \"" + path + "\""; },
                    [&] {
                      auto file = os::open_file(path, O_RDONLY);
                      if (is_plain_file(file)) return std::make_shared<const os::UniqueFd>(std::move(file));
                      return spool_plain_tar(context, std::make_unique<os::FileReader>(std::move(file)),
                                             spool_dir);
                    });
}

std::shared_ptr<const os::UniqueFd> spool_plain_tar(const Context& context,
                                                    std::unique_ptr<io::Reader> stream,
                                                    const std::string& spool_dir) {
  auto [detected, compression] = io::detect(std::move(stream));
  const auto plain = io::decompress(std::move(detected), compression);
  auto spooled = std::make_shared<const os::UniqueFd>(os::open_unnamed(spool_dir));
  FdWriter writer(context, *spooled);
  io::copy(*plain, writer);
  return spooled;
}

archive::TarIndex open_archive(const Context& context, const std::string& path, const std::string& spool_dir,
                               archive::TarIndex::Duplicates duplicates) {
  auto file = open_plain_tar(context, path, spool_dir);
  return in_context([&] { return "reading tar archive \"" + path + "\""; },
                    [&] { return archive::TarIndex(context, std::move(file), duplicates); });
}

}  // namespace lade::transport
