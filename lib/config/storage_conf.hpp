// Where the local store of containers/storage is and how it works: storage.conf(5), its drop-ins and the
// environment, by the rules of containers/storage 1.63 and later (earlier ones read a single file).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.hpp"

namespace lade::config {

// What one driver is told. Options of other drivers are not among these.
struct DriverOptions {
  std::vector<std::filesystem::path> additional_image_stores;  // read-only, absolute
  std::string mount_program;                                   // overlay: "" for the kernel's own
  std::string mountopt;                                        // overlay: comma-separated, for every mount
  bool ignore_chown_errors = false;
  bool skip_mount_home = false;  // overlay: its directory is not bind-mounted on itself
  bool sync = false;             // syncfs(2) before a layer becomes visible
  // Set to anything else than nothing, these change the format of the store.
  std::string force_mask, size, inodes;
  bool use_composefs = false;
};

// [storage.options.pull_options]
struct PullOptions {
  bool enable_partial_images = false;
  std::vector<std::string> unsupported;  // keys that are set and do nothing
};

struct StoreOptions {
  std::string driver;  // "overlay", "vfs"; "": what is found in graph_root, or the first that works
  std::vector<std::string> driver_priority;  // tried in this order where nothing is there yet
  std::filesystem::path graph_root, run_root;
  std::filesystem::path image_store;  // images and their layers live here instead; "" for graph_root
  bool transient_store = false;       // records of containers live in run_root
  bool disable_volatile = false;
  std::vector<std::string> driver_options;  // "key=value", "driver.key=value"
  bool rootless = false;                    // without the rights of the machine's root
  uid_t uid = 0;                            // outside of a rootless user namespace
  PullOptions pull;

  std::vector<std::string> files;     // that were read, main file first, later ones override earlier ones
  std::vector<std::string> warnings;  // in words, for the log

  // Kind::invalid_input for an unknown key, for one without "=", for paths that are not absolute.
  DriverOptions for_driver(std::string_view name) const;
};

// From the command line or from the brackets of a containers-storage: reference. With any of the first three,
// driver options of the configuration are not used, as in podman and skopeo; without graph_root or run_root
// the configuration's.
struct StoreOverrides {
  std::string driver;
  std::filesystem::path graph_root, run_root;  // absolute, or ""
  std::optional<std::vector<std::string>> driver_options;
  std::filesystem::path image_store;

  bool operator==(const StoreOverrides&) const = default;
};

// Kind::invalid_input for malformed files, Kind::not_found if a file that the environment names is missing,
// and when a user without XDG_RUNTIME_DIR has no safe place for run_root.
StoreOptions load_store_options(const Environment& environment, const StoreOverrides& overrides = {});

}  // namespace lade::config
