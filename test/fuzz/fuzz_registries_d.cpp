// registries.d and parameter files of sigstore: any text gives a value or an Error.
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "config/registries_d.hpp"
#include "config/sigstore_params.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lade;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    config::RegistriesD conf;
    conf.add(text, "fuzz");
    const std::vector<std::string> scopes{"a.test/r:1", "a.test/r", "a.test", "*.test"};
    conf.lookaside(scopes);
    conf.lookaside_for_writing(scopes);
    conf.use_sigstore_attachments(scopes);
  } catch (const Error&) {
  }
  try {
    config::parse_sigstore_params(text, "fuzz");
  } catch (const Error&) {
  }
  return 0;
}
