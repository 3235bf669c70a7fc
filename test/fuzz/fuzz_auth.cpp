// auth.json: any text gives a value or an Error, and what is written is read back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "config/auth_file.hpp"

namespace {

using namespace lade;
using config::AuthFile;

void look_up(const AuthFile& file) {
  for (const auto& [key, entry] : file.auths) {
    const auto slash = key.find('/');
    try {
      const std::string path = slash == std::string::npos ? "" : key.substr(slash + 1);
      const bool found = file.find(key.substr(0, slash), path).has_value();
      const bool whole = slash == std::string::npos || !path.empty();
      // An exact key is always found.
      if (!found && whole && file.format == AuthFile::Format::current) std::abort();
    } catch (const Error&) {
      continue;
    }
  }
  file.find("docker.io", "library/busybox");
  file.cred_helper_key("docker.io");
}

// One entry is set, then removed; the others must stay.
void edit(std::string_view text, const AuthFile& file) {
  const config::Credentials credentials{"user", "pass:word", "token"};
  const std::string key = "host:5000/ns";
  const auto with = config::with_auth(text, "fuzz", key, credentials);
  const auto changed = AuthFile::parse(with, "fuzz");
  if (changed.find("host:5000", "ns/repo") != credentials && !file.auths.contains("host:5000/ns/repo"))
    std::abort();
  auto expected = file.auths;
  expected.erase(key);
  if (AuthFile::parse(config::without_auth(with, "fuzz", key), "fuzz").auths != expected) std::abort();
  config::without_auths(text, "fuzz", config::KeepHelpers::no);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto format : {AuthFile::Format::current, AuthFile::Format::legacy}) {
    try {
      const auto file = AuthFile::parse(text, "fuzz", format);
      look_up(file);
      if (format == AuthFile::Format::current) edit(text, file);
    } catch (const Error&) {
      continue;
    }
  }
  return 0;
}
