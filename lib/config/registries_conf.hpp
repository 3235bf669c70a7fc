// registries.conf version 2 (containers-registries.conf(5)): where images are really fetched from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/environment.hpp"
#include "spec/reference.hpp"

namespace lade::config {

// One place to try for a pull.
struct PullEndpoint {
  spec::Reference reference;
  bool insecure = false;  // no TLS verification, and plain HTTP is allowed
  bool is_mirror = false;
  bool operator==(const PullEndpoint&) const = default;
};

enum class PullFromMirror { all, digest_only, tag_only };
enum class ShortNameMode { enforcing, permissive, disabled };

struct RegistryLocation {
  std::string location;
  bool insecure = false;
  PullFromMirror pull_from_mirror = PullFromMirror::all;
  bool operator==(const RegistryLocation&) const = default;
};

// One [[registry]] table, normalised: prefix is never empty; location is empty only for a "*." prefix.
struct RegistryEntry {
  std::string prefix;
  std::string location;
  bool insecure = false;
  bool blocked = false;
  bool mirror_by_digest_only = false;
  std::vector<RegistryLocation> mirrors;
  bool operator==(const RegistryEntry&) const = default;
};

// Immutable; copy freely.
class RegistriesConf {
 public:
  // No file: no rules.
  RegistriesConf() = default;

  // The file in use and its drop-ins, in the documented order. `path`: --registries-conf, "" if not given.
  // Wrong types, wrong values and keys given twice are Kind::invalid_input "<file>:<line>: <key>: <reason>";
  // unknown keys are warnings(), for files are written for newer programs too.
  // `directory`: --registries-conf-dir; if it is not "", drop-ins are read from there only.
  static RegistriesConf load(const Environment& environment, const std::string& path = "",
                             const std::string& directory = "");
  // One document, without drop-ins. `file` names it in errors.
  static RegistriesConf parse(std::string_view text, const std::string& file);

  // Where to read an image: mirrors in order, then the primary, which is always there. Mirrors that are
  // blocked by an entry of their own are left out. Kind::denied if the registry, or where it really is, is
  // blocked.
  std::vector<PullEndpoint> pull_endpoints(const spec::Reference& reference) const;

  // Of the name itself, without rewriting: push, delete, list-tags, login.
  bool is_insecure(const spec::Reference& reference) const { return is_insecure(reference.str()); }
  bool is_insecure(std::string_view host_or_name) const;
  // Kind::denied `registry P is blocked in one of ["path" ...]`.
  void throw_if_blocked(const spec::Reference& reference) const { throw_if_blocked(reference.str()); }
  void throw_if_blocked(std::string_view host_or_name) const;

  // The entry with the longest matching prefix; nullptr if none matches.
  const RegistryEntry* find(std::string_view host_or_name) const;
  // "<file>:<line>" of the entry with this very prefix; "" if there is none.
  std::string place_of(const std::string& prefix) const;

  const std::vector<RegistryEntry>& registries() const { return registries_; }
  const std::vector<std::string>& unqualified_search_registries() const { return search_; }
  // The file that names them, or else the main file; "" if there is none.
  const std::string& search_origin() const { return search_origin_; }
  // Short name -> full name. An alias that is reset to "" is not among them.
  const std::map<std::string, std::string>& aliases() const { return aliases_; }
  // The file that an alias is from.
  const std::string& alias_origin(const std::string& name) const { return alias_origins_.at(name); }
  // As a later file: values that are "" take aliases away.
  void add_aliases(std::map<std::string, std::string> aliases, const std::string& file);
  ShortNameMode short_name_mode() const { return short_name_mode_; }
  // "containers-auth.json" (the files of auth.hpp) and names of docker-credential-* programs, in order.
  const std::vector<std::string>& credential_helpers() const { return credential_helpers_; }
  // One line each: "<file>:<line>: unknown key registry.insecrue".
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  friend struct RegistriesDocument;  // registries_document.hpp: one parsed file
  void merge(struct RegistriesDocument&& document, const std::string& file);

  std::vector<RegistryEntry> registries_;
  std::map<std::string, std::string> places_;
  std::vector<std::string> search_;
  std::string search_origin_;
  std::map<std::string, std::string> aliases_, alias_origins_;
  ShortNameMode short_name_mode_ = ShortNameMode::permissive;
  std::vector<std::string> credential_helpers_{"containers-auth.json"};
  std::vector<std::string> warnings_;
  std::vector<std::string> searched_;  // files and folders, for the text of a blocked registry
};

}  // namespace lade::config
