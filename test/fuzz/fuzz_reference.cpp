// Names as people and files give them: whatever is accepted must read back as the same value.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "spec/base64.hpp"
#include "spec/digest.hpp"
#include "spec/image_name.hpp"
#include "spec/media_type.hpp"
#include "spec/platform.hpp"
#include "spec/reference.hpp"
#include "spec/time.hpp"

namespace {

using namespace lade;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Fn>
void refusable(Fn&& fn) {
  try {
    fn();
  } catch (const Error& error) {
    require(error.kind() == Kind::invalid_input && !error.message().empty());
  }
}

void check_reference(std::string_view text) {
  const auto reference = spec::Reference::parse(text);
  require(spec::Reference::parse(reference.str()) == reference);
  require(spec::Reference::parse(reference.familiar()) == reference);
  require(spec::Reference::parse(reference.name()) == reference.without_tag_or_digest());
  require(!reference.with_default_tag().is_name_only());
  require(reference.path().find("..") == std::string::npos);
  require(!reference.tag() || spec::is_valid_tag(*reference.tag()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refusable([&] { check_reference(text); });
  refusable([&] { require(spec::ImageName::parse(text).str() == text); });
  refusable([&] { require(spec::Platform::parse(text).str() == text); });
  if (const auto digest = spec::Digest::try_parse(text)) require(digest->str() == text);
  if (const auto time = spec::normalize_time(text)) require(spec::normalize_time(*time) == time);
  if (const auto bytes = spec::base64url_decode(text))
    require(text.starts_with(spec::base64url_encode(*bytes)));
  const auto type = spec::normalize_manifest_type(text);
  require(spec::normalize_manifest_type(type) == type);
  return 0;
}
