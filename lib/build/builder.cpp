#include "build/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "config/base64.hpp"

namespace lade::build {

using spec::Json;

namespace {

constexpr std::string_view docker_format = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::array<std::string_view, 4> isolation_words = {"default", "oci", "chroot", "rootless"};

Json empty_common_options() {
  return {{"AddHost", nullptr},
          {"OmitHistory", false},
          {"CgroupParent", ""},
          {"CPUPeriod", 0},
          {"CPUQuota", 0},
          {"CPUShares", 0},
          {"CPUSetCPUs", ""},
          {"CPUSetMems", ""},
          {"HTTPProxy", false},
          {"IdentityLabel", 0},
          {"Memory", 0},
          {"DNSSearch", nullptr},
          {"DNSServers", nullptr},
          {"DNSOptions", nullptr},
          {"LabelOpts", nullptr},
          {"Masks", nullptr},
          {"MemorySwap", 0},
          {"NoHostname", false},
          {"NoHosts", false},
          {"NoNewPrivileges", false},
          {"OmitTimestamp", false},
          {"SeccompProfilePath", ""},
          {"ApparmorProfile", ""},
          {"ShmSize", ""},
          {"Ulimit", nullptr},
          {"Volumes", nullptr},
          {"Secrets", nullptr},
          {"SSHSources", nullptr},
          {"OCIHooksDir", nullptr},
          {"Unmasks", nullptr}};
}

const Json* common_member(const Json& document, std::string_view member) {
  const Json* common = spec::find_member(document, "CommonBuildOpts");
  return common == nullptr || !common->is_object() ? nullptr : spec::find_member(*common, member);
}

std::vector<std::string> texts_of(const Json* value) {
  std::vector<std::string> result;
  if (value == nullptr || !value->is_array()) return result;
  for (const Json& element : *value)
    if (element.is_string()) result.push_back(element.get<std::string>());
  return result;
}

NamespaceOption namespace_option(const Json& entry) {
  NamespaceOption option;
  option.name = spec::string_member(entry, "Name", "NamespaceOptions");
  option.host = spec::bool_member(entry, "Host", "NamespaceOptions");
  option.path = spec::string_member(entry, "Path", "NamespaceOptions");
  return option;
}

}  // namespace

Isolation parse_isolation(std::string_view word) {
  if (word.empty()) return Isolation::unset;
  for (std::size_t i = 1; i < isolation_words.size(); ++i)
    if (isolation_words[i] == word) return static_cast<Isolation>(i);
  throw Error(Kind::invalid_input, fmt::format("unrecognized isolation type \"{}\"", word));
}

std::string_view to_string(Isolation isolation) {
  return isolation == Isolation::unset ? "oci" : isolation_words[static_cast<std::size_t>(isolation)];
}

Builder Builder::parse(std::string_view text, const std::string& container) {
  Builder builder(spec::parse_json(text, std::string(state_file) + " of " + container, max_state_size));
  if (!builder.document_.is_object())
    throw Error(Kind::invalid_input, fmt::format("{} of {}: not an object", state_file, container));
  const std::string type = builder.text("type");
  if (type != state_type)
    throw Error(
        Kind::invalid_input,
        fmt::format("container \"{}\" is not a buildah container (is a \"{}\" container)", container, type));
  return builder;
}

Builder Builder::make(const std::string& name, const std::string& id) {
  const Json ids = {{"HostUIDMapping", true},
                    {"HostGIDMapping", true},
                    {"UIDMap", Json::array()},
                    {"GIDMap", Json::array()},
                    {"AutoUserNs", false},
                    {"AutoUserNsOpts",
                     {{"Size", 0},
                      {"InitialSize", 0},
                      {"PasswdFile", ""},
                      {"GroupFile", ""},
                      {"AdditionalUIDMappings", nullptr},
                      {"AdditionalGIDMappings", nullptr}}}};
  return Builder(Json{{"Args", nullptr},
                      {"type", state_type},
                      {"image-id", ""},
                      {"image-digest", ""},
                      {"container-name", name},
                      {"container-id", id},
                      {"annotations", Json::object()},
                      {"ociv1", Json::object()},
                      {"docker", Json::object()},
                      {"Isolation", 0},
                      {"NamespaceOptions", Json::array()},
                      {"ConfigureNetwork", 0},
                      {"CNIPluginPath", ""},
                      {"CNIConfigDir", ""},
                      {"GroupAdd", nullptr},
                      {"IDMappingOptions", ids},
                      {"Capabilities", Json::array()},
                      {"PrependedEmptyLayers", nullptr},
                      {"AppendedEmptyLayers", nullptr},
                      {"CommonBuildOpts", empty_common_options()},
                      {"TopLayer", ""},
                      {"Format", ""},
                      {"TempVolumes", nullptr},
                      {"ContentDigester", Json::object()},
                      {"Devices", nullptr},
                      {"DeviceSpecs", nullptr},
                      {"CDIConfigDir", ""},
                      {"PrependedLinkedLayers", nullptr},
                      {"AppendedLinkedLayers", nullptr}});
}

std::string Builder::serialize() const {
  Json document = document_;
  Json& docker = document["docker"];
  if (!docker.is_object()) docker = Json::object();
  if (const Json* config = spec::find_member(docker, "config")) docker["container_config"] = Json(*config);
  return spec::dump_json(document);
}

bool Builder::is_docker_format() const {
  return format() == docker_format;
}

std::string Builder::text(std::string_view member) const {
  const Json* value = spec::find_member(document_, member);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

void Builder::set_text(std::string_view member, const std::string& value) {
  document_[std::string(member)] = value;
}

std::string Builder::bytes(std::string_view member) const {
  return config::base64_decode(text(member)).value_or("");
}

void Builder::set_bytes(std::string_view member, std::string_view value) {
  set_text(member, config::base64_encode(value));
}

std::vector<std::string> Builder::texts(std::string_view member) const {
  return texts_of(spec::find_member(document_, member));
}

Isolation Builder::isolation() const {
  const Json* value = spec::find_member(document_, "Isolation");
  const auto number = value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
  if (number < 0 || number >= static_cast<std::int64_t>(isolation_words.size())) return Isolation::unset;
  return static_cast<Isolation>(number);
}

std::vector<NamespaceOption> usual_namespaces() {
  const bool version2 = std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
  std::vector<NamespaceOption> result;
  for (const char* name : {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"})
    result.push_back(
        {name, std::string_view(name) == "user" || (std::string_view(name) == "cgroup" && !version2), ""});
  return result;
}

std::vector<NamespaceOption> Builder::namespaces() const {
  std::vector<NamespaceOption> result;
  for (const Json& entry : spec::array_member(document_, "NamespaceOptions", state_file))
    if (entry.is_object()) result.push_back(namespace_option(entry));
  return result;
}

void Builder::set_namespaces(const std::vector<NamespaceOption>& options) {
  Json& target = document_["NamespaceOptions"] = Json::array();
  for (const auto& option : options)
    target.push_back({{"Name", option.name}, {"Host", option.host}, {"Path", option.path}});
}

layer::IdMaps Builder::id_maps() const {
  const Json* options = spec::find_member(document_, "IDMappingOptions");
  if (options == nullptr || !options->is_object()) return {};
  const auto maps = [&](const char* name) {
    std::vector<layer::IdMap> result;
    const Json* list = spec::find_member(*options, name);
    if (list == nullptr || !list->is_array()) return result;
    for (const Json& entry : *list) {
      const auto number = [&](const char* member) {
        const Json* value = entry.is_object() ? spec::find_member(entry, member) : nullptr;
        if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() > UINT32_MAX)
          throw Error(Kind::invalid_input, fmt::format("IDMappingOptions: {} has no {}", name, member));
        return value->get<std::uint32_t>();
      };
      result.push_back({number("containerID"), number("hostID"), number("size")});
    }
    return result;
  };
  return {maps("UIDMap"), maps("GIDMap")};
}

void Builder::set_id_maps(const layer::IdMaps& ids) {
  Json& options = document_["IDMappingOptions"];
  const auto list = [](const std::vector<layer::IdMap>& maps) {
    Json result = Json::array();
    for (const auto& map : maps)
      result.push_back({{"containerID", map.container_id}, {"hostID", map.host_id}, {"size", map.size}});
    return result;
  };
  options["UIDMap"] = list(ids.uids);
  options["GIDMap"] = list(ids.gids);
  const auto all = namespaces();
  const auto user = std::ranges::find(all, "user", &NamespaceOption::name);
  const bool is_host = user == all.end() || user->host;
  options["HostUIDMapping"] = is_host;
  options["HostGIDMapping"] = is_host;
}

std::string Builder::common_text(std::string_view member) const {
  const Json* value = common_member(document_, member);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::vector<std::string> Builder::common_texts(std::string_view member) const {
  return texts_of(common_member(document_, member));
}

std::int64_t Builder::common_integer(std::string_view member) const {
  const Json* value = common_member(document_, member);
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

bool Builder::common_flag(std::string_view member) const {
  const Json* value = common_member(document_, member);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

void Builder::add_history(const std::string& created, const std::string& created_by) {
  Json& entries = document_["PrependedEmptyLayers"];
  if (!entries.is_array()) entries = Json::array();
  entries.push_back({{"created", created}, {"created_by", created_by}, {"empty_layer", true}});
}

}  // namespace lade::build
