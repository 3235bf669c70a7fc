#include "registry/server/htpasswd.hpp"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "io/digester.hpp"
#include "os/file.hpp"
#include "registry/text.hpp"

namespace lade::registry::server {

namespace {

constexpr std::uint64_t max_file_size = 1024 * 1024;
constexpr std::size_t max_header_size = 4096;

// Checked for users that do not exist, so that the time taken does not tell.
constexpr const char* nobodys_hash = "$2y$05$abcdefghijklmnopqrstuuMBkJ0mjqHrYyCSPd4oPUqtTQhm5xQZW";

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool matches(const std::string& password, const std::string& hash) {
  const auto scratch = std::make_unique<crypt_data>();
  const char* computed = crypt_r(password.c_str(), hash.c_str(), scratch.get());
  return computed != nullptr && equal_in_constant_time(computed, hash);
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string decoded(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  decoded.resize(static_cast<std::size_t>(size) - padding);
  return decoded;
}

struct Login {
  std::string user, password;
};

std::optional<Login> parse_basic(std::string_view authorization) {
  if (authorization.size() > max_header_size) return std::nullopt;
  const auto space = authorization.find(' ');
  if (space == authorization.npos || !equals_ignoring_case(authorization.substr(0, space), "Basic")) {
    return std::nullopt;
  }
  const auto text = decode_base64(trim(authorization.substr(space)));
  const auto colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos || text->find('\0') != std::string::npos) return std::nullopt;
  return Login{text->substr(0, colon), text->substr(colon + 1)};
}

std::map<std::string, std::string, std::less<>> parse_file(std::string_view text) {
  std::map<std::string, std::string, std::less<>> hashes;
  while (!text.empty()) {
    const auto end = text.find_first_of("\r\n");
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(':');
    if (colon == line.npos || !line.substr(colon + 1).starts_with("$2")) {
      throw Error(Kind::invalid_input,
                  "htpasswd: every line must be <user>:<bcrypt hash>, as made by htpasswd -B");
    }
    hashes.insert_or_assign(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  return hashes;
}

}  // namespace

Htpasswd::Htpasswd(std::filesystem::path path) : path_(std::move(path)) {
  refresh();
}

void Htpasswd::refresh() {
  const FileVersion now = version_of(path_);
  if (!hashes_.empty() && now == version_) return;
  hashes_ = parse_file(os::read_file(path_, max_file_size));
  version_ = now;
  proven_.clear();
}

bool Htpasswd::allows(std::string_view authorization) {
  const auto login = parse_basic(authorization);
  if (!login) return false;
  std::string hash;
  const std::string proof = io::digest_of(login->user + '\0' + login->password).hex();
  {
    const std::lock_guard lock(mutex_);
    refresh();
    if (const auto known = proven_.find(login->user); known != proven_.end() && known->second == proof)
      return true;
    if (const auto found = hashes_.find(login->user); found != hashes_.end()) hash = found->second;
  }
  // Outside the lock: it takes milliseconds.
  if (hash.empty()) {
    matches(login->password, nobodys_hash);
    return false;
  }
  if (!matches(login->password, hash)) return false;
  const std::lock_guard lock(mutex_);
  if (const auto found = hashes_.find(login->user); found != hashes_.end() && found->second == hash) {
    proven_.insert_or_assign(login->user, proof);
  }
  return true;
}

}  // namespace lade::registry::server
