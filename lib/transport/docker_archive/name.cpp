#include <algorithm>
#include <charconv>

#include "transport/docker_archive/archive.hpp"

namespace lade::transport::docker_archive {

namespace {

std::size_t parse_index(std::string_view text) {
  long long value = 0;
  const auto digits = text.substr(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const std::string prefix = "Invalid source index " + std::string(text);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw Error(Kind::invalid_input, prefix + ": not an integer");
  }
  if (value < 0) throw Error(Kind::invalid_input, prefix + ": must not be negative");
  return static_cast<std::size_t>(value);
}

spec::Reference parse_tagged(std::string_view text) {
  const auto reference = in_context("docker-archive parsing reference",
                                    [&] { return spec::Reference::parse(text).with_default_tag(); });
  if (!reference.tag()) {
    throw Error(Kind::invalid_input, "reference does not include a tag: " + reference.str());
  }
  if (reference.digest()) {
    throw Error(Kind::invalid_input, "docker-archive doesn't support digest references: " + reference.str());
  }
  return reference;
}

}  // namespace

std::string ArchiveName::str() const {
  if (reference) return path + ":" + reference->str();
  return index ? path + ":@" + std::to_string(*index) : path;
}

ArchiveName parse_archive_name(std::string_view text) {
  if (text.empty()) {
    throw Error(Kind::invalid_input, "docker-archive reference  isn't of the form <path>[:<reference>]");
  }
  const auto colon = text.find(':');
  ArchiveName name{std::string(text.substr(0, colon)), std::nullopt, std::nullopt};
  if (colon == std::string_view::npos) return name;
  const auto rest = text.substr(colon + 1);
  if (rest.starts_with('@')) {
    name.index = parse_index(rest);
  } else {
    name.reference = parse_tagged(rest);
  }
  return name;
}

}  // namespace lade::transport::docker_archive
