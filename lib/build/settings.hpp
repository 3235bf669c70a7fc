// What an image says about itself, in OCI's and in Docker's form at once: a state of buildah keeps both, and
// a commit takes one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/json.hpp"

namespace lade::build {

// Docker's HEALTHCHECK. Durations in nanoseconds.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;
  std::int64_t retries = 0;
};

// A view of the members "ociv1", "docker" and "annotations" of a state, which MUST outlive it.
class ImageSettings {
 public:
  explicit ImageSettings(spec::Json& state) : state_(state) {}

  spec::Json& oci() { return object(state_, "ociv1"); }
  spec::Json& docker() { return object(state_, "docker"); }

  // Of the image: "author", "architecture", "variant", "os", "os.version".
  std::string image_text(std::string_view member);
  void set_image_text(std::string_view member, const std::string& value);
  std::vector<std::string> os_features();
  void set_os_features(const std::vector<std::string>& features);
  std::string comment();  // Docker's only
  void set_comment(const std::string& comment);

  // Of its execution: "User", "WorkingDir", "StopSignal"; Docker's only: "Hostname", "Domainname".
  std::string text(std::string_view member);
  void set_text(std::string_view member, const std::string& value);
  // "Env", "Cmd", "Entrypoint"; Docker's only: "Shell", "OnBuild".
  std::vector<std::string> list(std::string_view member);
  void set_list(std::string_view member, const std::vector<std::string>& values);
  // "ExposedPorts", "Volumes": sets.
  std::vector<std::string> set(std::string_view member);
  void add_to_set(std::string_view member, const std::string& key);
  void remove_from_set(std::string_view member, const std::string& key);
  void clear(std::string_view member);  // lists, sets and labels

  std::optional<std::string> find_env(std::string_view name);
  void set_env(const std::string& name, const std::string& value);
  void unset_env(const std::string& name);

  std::map<std::string, std::string> labels();
  void set_label(const std::string& name, const std::string& value);
  void unset_label(const std::string& name);

  std::map<std::string, std::string> annotations();
  void set_annotation(const std::string& name, const std::string& value);
  void unset_annotation(const std::string& name);
  void clear_annotations();

  std::optional<Healthcheck> healthcheck();
  void set_healthcheck(const std::optional<Healthcheck>& healthcheck);

  // Platform and time where an image says nothing about them; Docker's two configurations made one.
  void fill_in(const std::string& now, const std::string& os, const std::string& architecture,
               const std::string& variant);

 private:
  static spec::Json& object(spec::Json& parent, std::string_view name);
  spec::Json& oci_config() { return object(oci(), "config"); }
  spec::Json& docker_config() { return object(docker(), "config"); }
  template <class Edit>
  void edit_both(std::string_view member, const Edit& edit);

  spec::Json& state_;
};

}  // namespace lade::build
