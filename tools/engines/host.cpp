#include "engines/host.hpp"

namespace lade::engines {

using spec::Json;

Json graph_options(const config::StoreOptions& options) {
  Json json = Json::object();
  for (const std::string& option : options.driver_options) {
    const std::size_t equals = option.find('=');
    const std::string key = option.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
    json[key] = value;
    if (key.ends_with("imagestore"))
      json[key.substr(0, key.find('.') + 1) + "additionalImageStores"].push_back(value);
  }
  return json;
}

Json graph_status(const store::Layout& layout, const config::StoreOptions& options) {
  if (layout.driver != "overlay") return Json::object();
  const auto driver = options.for_driver("overlay");
  const bool metacopy = driver.mountopt.find("metacopy=on") != std::string::npos;
  return {{"Backing Filesystem", engine::file_system_name(layout.graph_root)},
          {"Native Overlay Diff", driver.mount_program.empty() && !metacopy ? "true" : "false"},
          {"Supports d_type", "true"},
          {"Using metacopy", metacopy ? "true" : "false"}};
}

std::filesystem::path volume_path(EngineSession& session) {
  const auto& flags = session.invocation().flags;
  if (flags.has("volumepath") && flags.given("volumepath")) return flags.text("volumepath");
  return session.store()->layout().graph_root / "volumes";
}

}  // namespace lade::engines
