// Names of images as people type them to an engine, and what they may mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/registries_conf.hpp"
#include "spec/reference.hpp"

namespace lade::engine {

// Without a registry: "alpine", "library/alpine:3", but not "localhost/x" or "quay.io/x".
bool is_short_name(std::string_view name);

// What a new name of an image is: short names are in localhost/, the tag is "latest" if there is none.
// Kind::invalid_input `normalizing name "X": ...`.
spec::Reference normalize_name(std::string_view name);

// What a name may mean among the images that are here, in the order of preference, with tags or digests; of a
// name with both the digest counts.
std::vector<spec::Reference> local_candidates(std::string_view name,
                                              const config::RegistriesConf& registries);

// What a name may mean among the images of registries.
struct PullCandidates {
  std::vector<spec::Reference> references;
  std::string explanation;  // a line for people, if a rule decided; else ""
  std::string short_name;   // without tag and digest; "" if the name was a full one
  // Several registries are searched, and the rules say that a person should choose.
  bool ambiguous = false;
};
// Kind::invalid_input for names that nothing resolves.
PullCandidates pull_candidates(std::string_view name, const config::RegistriesConf& registries);

}  // namespace lade::engine
