// A registry in memory, for a FakePool: manifests, blobs, uploads in one piece or in chunks, mounts,
// referrers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/digester.hpp"
#include "spec/digest.hpp"
#include "support/fake_http.hpp"

namespace lade::test {

struct FakeRegistry {
  std::string origin = "https://reg.example";
  std::map<std::string, std::string> blobs;     // "ns/app@sha256:..." -> bytes
  std::map<std::string, FakeAnswer> manifests;  // "ns/app:latest", "ns/app@sha256:..."
  std::map<std::string, std::string> uploads;   // "/v2/.../uploads/7" -> bytes so far
  std::set<std::string> cancelled;
  std::size_t largest_body = std::string::npos;  // more than this is answered with 413
  int next_upload = 1;

  FakeAnswer operator()(const FakeRequest& request) {
    const std::string target = request.url.substr(origin.size());
    const std::string path = target.substr(0, target.find('?'));
    if (request.body.size() > largest_body) return {.status = 413, .body = "too large"};
    if (path.find("/blobs/uploads/") != std::string::npos) return upload(request, path, target);
    if (path.find("/blobs/") != std::string::npos) return blob(path);
    if (path.find("/manifests/") != std::string::npos) return manifest(request, path);
    return not_found("NAME_UNKNOWN", "repository name not known to registry");
  }

  static FakeAnswer not_found(const std::string& code, const std::string& message) {
    return {.status = 404,
            .body = R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})"};
  }

 private:
  // "/v2/ns/app/blobs/x" -> ("ns/app", "x").
  static std::pair<std::string, std::string> split(const std::string& path, const std::string& kind) {
    const auto at = path.find(kind);
    return {path.substr(4, at - 4), path.substr(at + kind.size())};
  }

  static std::string parameter(const std::string& target, const std::string& name) {
    const auto at = target.find(name + "=");
    if (at == std::string::npos) return "";
    std::string value;
    for (std::size_t i = at + name.size() + 1; i < target.size() && target[i] != '&'; ++i) {
      if (target[i] == '%') {
        value += static_cast<char>(std::stoi(target.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        value += target[i];
      }
    }
    return value;
  }

  FakeAnswer blob(const std::string& path) {
    const auto [name, digest] = split(path, "/blobs/");
    const auto found = blobs.find(name + "@" + digest);
    if (found == blobs.end()) return not_found("BLOB_UNKNOWN", "blob unknown to registry");
    return {.body = found->second};
  }

  FakeAnswer manifest(const FakeRequest& request, const std::string& path) {
    const auto [name, reference] = split(path, "/manifests/");
    const std::string key = name + (reference.find(':') == std::string::npos ? ":" : "@") + reference;
    const auto found = manifests.find(key);
    if (request.method == "PUT") {
      const std::string digest = io::digest_of(request.body).str();
      const FakeAnswer stored{
          .headers = {{"Content-Type", request.header("Content-Type")}, {"Docker-Content-Digest", digest}},
          .body = request.body};
      manifests[key] = manifests[name + "@" + digest] = stored;
      return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
    }
    if (found == manifests.end()) return not_found("MANIFEST_UNKNOWN", "manifest unknown");
    if (request.method == "DELETE") {
      manifests.erase(found);
      return {.status = 202};
    }
    return found->second;
  }

  FakeAnswer upload(const FakeRequest& request, const std::string& path, const std::string& target) {
    const std::string name = split(path, "/blobs/uploads/").first;
    if (request.method == "POST") return begin(name, target);
    const auto found = uploads.find(path);
    if (found == uploads.end()) return not_found("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    std::string& bytes = found->second;
    if (request.method == "DELETE") {
      cancelled.insert(path);
      uploads.erase(found);
      return {.status = 204};
    }
    if (request.method == "PATCH") {
      const std::string range = request.header("Content-Range");
      if (!range.empty() && std::stoull(range) != bytes.size()) return {.status = 416};
      bytes += request.body;
    }
    if (request.method == "PUT") return finish(name, path, bytes + request.body, parameter(target, "digest"));
    return {.status = request.method == "GET" ? 204 : 202,
            .headers = {{"Location", path},
                        {"Range", "0-" + std::to_string(bytes.empty() ? 0 : bytes.size() - 1)}}};
  }

  FakeAnswer begin(const std::string& name, const std::string& target) {
    const std::string mounted = parameter(target, "mount");
    const auto source = blobs.find(parameter(target, "from") + "@" + mounted);
    if (!mounted.empty() && source != blobs.end()) {
      blobs[name + "@" + mounted] = source->second;
      return {.status = 201, .headers = {{"Location", "/v2/" + name + "/blobs/" + mounted}}};
    }
    const std::string path = "/v2/" + name + "/blobs/uploads/" + std::to_string(next_upload++);
    uploads[path];
    return {.status = 202, .headers = {{"Location", path}, {"Range", "0-0"}}};
  }

  FakeAnswer finish(const std::string& name, const std::string& path, const std::string& bytes,
                    const std::string& digest) {
    if (io::digest_of(bytes, spec::Digest::parse(digest).algorithm()).str() != digest) {
      return {.status = 400, .body = R"({"errors":[{"code":"DIGEST_INVALID"}]})"};
    }
    blobs[name + "@" + digest] = bytes;
    uploads.erase(path);
    return {.status = 201};
  }
};

}  // namespace lade::test
