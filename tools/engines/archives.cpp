#include "engines/archives.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "engines/transfer.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/transports.hpp"

namespace lade::engines {
namespace {

std::string shown_name(const Imported& imported) {
  return imported.name.empty() ? "sha256:" + imported.id : imported.name;
}

}  // namespace

std::vector<Imported> import_docker_archive(EngineSession& session, const std::string& path) {
  const auto archive = transport::parse_image_name("docker-archive:" + path);
  const auto tags = transport::docker_archive_tags(session.context(), *archive, transport::Options());
  if (tags.empty()) throw Error(Kind::invalid_input, "there is no image in the archive");
  std::vector<Imported> imported;
  for (const std::string& tag : tags)
    imported.push_back(
        import_image(session, *transport::parse_image_name(fmt::format("docker-archive:{}:{}", path, tag))));
  return imported;
}

namespace {

std::vector<std::string> load_docker_archive(EngineSession& session, const std::string& path) {
  std::vector<std::string> names;
  for (const Imported& imported : import_docker_archive(session, path)) names.push_back(shown_name(imported));
  return names;
}

}  // namespace

std::vector<std::string> load_images(EngineSession& session, const std::string& path) {
  if (!std::filesystem::exists(path))
    throw Error(Kind::not_found, fmt::format("stat {}: no such file or directory", path));
  std::string reasons;
  for (const char* format : {"oci", "oci-archive", "docker-archive", "dir"}) {
    std::string reason;
    try {
      if (std::string_view(format) == "docker-archive") return load_docker_archive(session, path);
      return {shown_name(
          import_image(session, *transport::parse_image_name(fmt::format("{}:{}", format, path))))};
    } catch (const Error& error) {
      reason = error.what();
    }
    reasons += fmt::format("\n * {}: {}", format, reason);
  }
  throw Error(Kind::invalid_input, "payload does not match any of the supported image formats:" + reasons);
}

SpooledInput::SpooledInput(const Context& context) {
  path_ = "/var/tmp/lade-load-XXXXXX";
  const int fd = mkostemp(path_.data(), O_CLOEXEC);
  if (fd < 0) throw Error::from_errno(errno, "creating a temporary file in /var/tmp");
  os::FileWriter writer{os::UniqueFd(fd)};
  try {
    os::FileReader input{os::UniqueFd(fcntl(0, F_DUPFD_CLOEXEC, 3))};
    std::vector<std::byte> buffer(1 << 16);
    while (const std::size_t count = input.read(buffer)) {
      context.throw_if_stopped();
      writer.write(io::Bytes(buffer.data(), count));
    }
  } catch (...) {
    unlink(path_.c_str());
    throw;
  }
}

SpooledInput::~SpooledInput() {
  unlink(path_.c_str());
}

}  // namespace lade::engines
