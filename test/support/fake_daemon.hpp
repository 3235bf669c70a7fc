// A docker daemon for tests: it speaks as much of the Engine API as moves images, and keeps one archive.
#pragma once

#include <memory>
#include <string>

#include "archive/tar_reader.hpp"
#include "io/stream.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "support/scripted_server.hpp"

namespace lade::test {

class FakeDaemon {
 public:
  // The archive that was loaded is `file`.
  explicit FakeDaemon(std::string file, std::string api_version = "1.41") : file_(std::move(file)) {
    ServerOptions options;
    options.address = (directory_.path() / "docker.sock").string();
    socket_ = options.address;
    server_ = std::make_unique<ScriptedServer>(std::move(options));
    server_->on("GET", "/_ping", reply(200, {{"Api-Version", api_version}}, "OK"));
    server_->on("GET", "/v" + api_version + "/images/get", [this](const RecordedRequest&) { return save(); });
    server_->on("POST", "/v" + api_version + "/images/load",
                [this](const RecordedRequest& request) { return load(request.body); });
  }

  std::string host() const { return "unix://" + socket_; }
  ScriptedServer& server() { return *server_; }

 private:
  Reply save() const {
    const auto archive = os::find_file(file_, 1 << 30);
    if (!archive) return reply(404, {}, R"({"message":"No such image"})");
    return reply(200, {{"Content-Type", "application/x-tar"}}, *archive);
  }

  Reply load(const std::string& archive) const {
    if (!is_complete(archive)) return reply(500, {}, R"({"message":"unexpected EOF"})");
    os::write_file(file_, archive);
    return reply(200, {{"Content-Type", "application/json"}}, "{\"stream\":\"Loaded image\"}\r\n");
  }

  static bool is_complete(const std::string& archive) {
    try {
      const auto bytes = io::make_text_reader(archive);
      archive::TarReader reader(*bytes);
      bool found = false;
      while (const auto* entry = reader.next()) found = found || entry->header.name == "manifest.json";
      return found;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::string file_;
  os::TempDir directory_{std::filesystem::temp_directory_path(), "lade-daemon-"};
  std::string socket_;
  std::unique_ptr<ScriptedServer> server_;
};

}  // namespace lade::test
