#include "config/containers_conf.hpp"

#include <charconv>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/merged_list.hpp"
#include "config/toml_table.hpp"

namespace lade::config {

namespace {

constexpr ConfigFamily containers_family{"containers", "conf", "CONTAINERS_CONF"};

// The lists, which grow from file to file.
struct ContainersLists {
  explicit ContainersLists(ContainersConf& conf)
      : of_containers{{"default_capabilities", &conf.default_capabilities},
                      {"default_sysctls", &conf.default_sysctls},
                      {"default_ulimits", &conf.default_ulimits},
                      {"devices", &conf.devices},
                      {"dns_servers", &conf.dns_servers},
                      {"dns_searches", &conf.dns_searches},
                      {"dns_options", &conf.dns_options},
                      {"env", &conf.env},
                      {"volumes", &conf.volumes}},
        of_engine{{"helper_binaries_dir", &conf.helper_binaries_dir}, {"hooks_dir", &conf.hooks_dir}},
        of_network{{"pasta_options", &conf.pasta_options}} {}

  struct List {
    List(const char* name, std::vector<std::string>* place) : key(name), target(place), merged(*place) {}
    const char* key;
    std::vector<std::string>* target;
    MergedList merged;
  };
  std::vector<List> of_containers, of_engine, of_network;

  static void merge(std::vector<List>& lists, TomlTable& table) {
    for (List& list : lists) list.merged.merge(table.text_list(list.key));
  }
  void finish() {
    for (auto* lists : {&of_containers, &of_engine, &of_network})
      for (List& list : *lists) *list.target = list.merged.texts();
  }
};

void take_text(TomlTable& table, const char* key, std::string& target) {
  if (auto value = table.text(key)) target = *std::move(value);
}

void take_flag(TomlTable& table, const char* key, bool& target) {
  if (const auto value = table.boolean(key)) target = *value;
}

template <class Number>
void take_number(TomlTable& table, const char* key, Number& target) {
  const auto text = table.scalar(key);
  if (!text) return;
  const char* end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, target);
  if (result.ec != std::errc() || result.ptr != end) table.fail(key, "must be a number");
}

void read_containers_table(TomlTable& table, ContainersConf& conf) {
  take_text(table, "apparmor_profile", conf.apparmor_profile);
  take_text(table, "seccomp_profile", conf.seccomp_profile);
  take_text(table, "base_hosts_file", conf.base_hosts_file);
  take_text(table, "cgroupns", conf.cgroupns);
  take_text(table, "ipcns", conf.ipcns);
  take_text(table, "netns", conf.netns);
  take_text(table, "pidns", conf.pidns);
  take_text(table, "utsns", conf.utsns);
  take_text(table, "userns", conf.userns);
  take_text(table, "shm_size", conf.shm_size);
  take_text(table, "tz", conf.tz);
  take_text(table, "umask", conf.umask);
  take_flag(table, "http_proxy", conf.http_proxy);
  take_flag(table, "no_hosts", conf.no_hosts);
  take_flag(table, "container_name_as_hostname", conf.container_name_as_hostname);
  take_text(table, "host_containers_internal_ip", conf.host_containers_internal_ip);
  take_number(table, "pids_limit", conf.pids_limit);
}

void read_engine_table(TomlTable& table, ContainersConf& conf) {
  take_text(table, "cgroup_manager", conf.cgroup_manager);
  take_text(table, "runtime", conf.runtime);
  take_text(table, "image_copy_tmp_dir", conf.image_copy_tmp_dir);
  take_text(table, "retry_delay", conf.retry_delay);
  take_flag(table, "no_pivot_root", conf.no_pivot_root);
  take_number(table, "retry", conf.retry);
}

void read_network_table(TomlTable& table, ContainersConf& conf) {
  take_text(table, "default_network", conf.default_network);
  take_text(table, "default_subnet", conf.default_subnet);
  take_text(table, "default_rootless_network_cmd", conf.default_rootless_network_cmd);
  take_text(table, "network_backend", conf.network_backend);
  take_text(table, "network_config_dir", conf.network_config_dir);
  take_text(table, "firewall_driver", conf.firewall_driver);
}

// [engine.runtimes]: name = ["/usr/bin/name", ...]
void read_runtimes(const toml::table& document, const std::string& file, ContainersConf& conf) {
  const auto* runtimes = document.at_path("engine.runtimes").as_table();
  if (runtimes == nullptr) return;
  TomlTable table(*runtimes, file, "engine.runtimes");
  for (const auto& [key, value] : *runtimes) {
    const std::string name(key.str());
    if (auto paths = table.texts(name)) conf.runtimes[name] = *std::move(paths);
  }
}

void read_containers_file(const ConfigText& file, ContainersConf& conf, ContainersLists& lists) {
  const toml::table parsed = parse_toml(file.text, file.path);
  TomlTable top(parsed, file.path);
  if (auto table = top.table("containers")) {
    read_containers_table(*table, conf);
    ContainersLists::merge(lists.of_containers, *table);
  }
  if (auto table = top.table("engine")) {
    read_engine_table(*table, conf);
    ContainersLists::merge(lists.of_engine, *table);
  }
  if (auto table = top.table("network")) {
    read_network_table(*table, conf);
    ContainersLists::merge(lists.of_network, *table);
  }
  read_runtimes(parsed, file.path, conf);
}

}  // namespace

ContainersConf ContainersConf::load(const Environment& environment) {
  ContainersConf conf;
  ContainersLists lists(conf);
  for (const auto& file : read_config_files(config_paths(environment, containers_family, ""))) {
    in_context("loading containers configuration", [&] { read_containers_file(file, conf, lists); });
    conf.files.push_back(file.path);
  }
  lists.finish();
  return conf;
}

}  // namespace lade::config
