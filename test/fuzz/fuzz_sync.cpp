// What people and registries hand to a sync: its YAML file, version constraints, tags.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sync/semver.hpp"
#include "sync/source_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    lade::sync::SourceFile::parse(text, "file");
  } catch (const lade::Error&) {
  }
  const std::string_view line = std::string_view(text).substr(0, text.find('\n'));
  const auto version = lade::sync::SemanticVersion::parse(line);
  try {
    const auto constraint = lade::sync::VersionConstraint::parse(text);
    if (version) constraint.admits(*version);
  } catch (const lade::Error&) {
  }
  return 0;
}
