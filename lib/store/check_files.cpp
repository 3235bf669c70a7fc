#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "os/file.hpp"
#include "os/mount.hpp"
#include "store/check_parts.hpp"
#include "store/ids.hpp"
#include "store/record_fields.hpp"
#include "store/record_file.hpp"
#include "store/temp_directory.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;
using Mend = Finding::Mend;
using Remedy = Finding::Remedy;

constexpr std::uint64_t max_chain_file = 1 << 20;
constexpr std::size_t link_size = 26;
constexpr std::string_view split_suffix = ".tar-split.gz";

bool is_there(const Path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool is_real_directory(const Path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::directory;
}

std::vector<Path> entries_of(const Path& directory) {
  std::vector<Path> result;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    result.push_back(entry->path());
  std::ranges::sort(result);
  return result;
}

bool is_link_name(std::string_view text) {
  return text.size() == link_size &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string_view::npos;
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(':'), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string chain_file(const Path& path) {
  return os::find_file(path, max_chain_file).value_or("");
}

// The IDs that "l/<link>:l/<link>" leads to; "?" for a link that leads nowhere.
std::vector<std::string> ids_of_links(const std::vector<Path>& homes, const std::string& lower) {
  std::vector<std::string> result;
  for (const std::string& link : parts_of(lower)) {
    std::string id = "?";
    for (const auto& home : homes)
      if (const std::string target = read_link_text(home / link); !target.empty() && id == "?")
        id = Path(target).parent_path().filename().string();
    result.push_back(id);
  }
  return result;
}

// The link under which the layers above know this one, or a fresh name.
std::string link_name_for(const Path& home, const std::string& id) {
  const std::string own = chain_file(home / id / "link");
  if (is_link_name(own)) return own;
  const std::string target = "../" + id + "/diff";
  for (const Path& link : entries_of(home / "l"))
    if (read_link_text(link) == target && is_link_name(link.filename().string())) return link.filename();
  return random_link_name();
}

void write_chain_file(const Path& path, const std::string& text) {
  const os::UniqueFd fd = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
  os::write_all(fd, io::as_bytes(text));
}

void check_overlay_layer(Check& check, const std::vector<Path>& homes, const Path& home,
                         const LayerRecord& layer) {
  const Path directory = home / layer.id;
  if (!is_real_directory(directory)) return check.add_damage(layer.id, "its files are gone", directory);
  for (const char* name : {"composefs-data", "additionallayer"})
    if (is_there(directory / name))
      return check.add_layer(layer.id,
                             fmt::format("layers with {} are not supported: it was not checked", name),
                             directory / name);
  if (!is_real_directory(directory / "diff"))
    return check.add_damage(layer.id, "its files are gone", directory / "diff");
  const OverlayHomes known(homes);
  const auto expected = expected_lowers(check.records, layer);
  if (check.damaged_layers.contains(layer.id) || !expected) return;
  const std::string trouble = trouble_with_links(home, known, layer, *expected);
  if (!trouble.empty()) check.add_layer(layer.id, trouble, directory, Mend::plain, Remedy::write_links);
}

void check_tar_split(Check& check, const LayerRecord& layer) {
  if (!layer.diff_digest || is_there(check.layout.tar_split(layer.id))) return;
  const bool of_image_store = check.layout.has_image_store();
  if (of_image_store && is_there(check.layout.image_store_layers() / (layer.id + std::string(split_suffix))))
    return;
  check.add_damage(layer.id, "its tar-split file is gone: its tar cannot be made again",
                   check.layout.tar_split(layer.id));
}

void find_orphan_directories(Check& check, const Path& home) {
  for (const Path& path : entries_of(home)) {
    const std::string name = path.filename();
    if (!is_real_directory(path) || name == "l" || name == "staging" || name == "tempdirs") continue;
    if (check.records.layers.find_entry(name) != nullptr) continue;
    check.add_orphan(path, "these files belong to no layer", is_id(name) ? Mend::plain : Mend::by_force);
  }
  for (const Path& link : entries_of(home / "l")) {
    const std::string target = read_link_text(link);
    const Path layer = Path(target).parent_path().filename();
    if (target.empty() || !is_real_directory(home / layer))
      check.add_orphan(link, "this link leads to no layer");
  }
}

void find_stale_temp(Check& check, const Path& parent) {
  for (const Path& path : stale_temp_directories(parent))
    check.add({.path = path,
               .problem = "a program that is gone left this behind",
               .mend = Mend::plain,
               .remedy = Remedy::recover});
}

}  // namespace

std::string read_link_text(const Path& path) {
  std::error_code error;
  const auto target = fs::read_symlink(path, error);
  return error ? "" : target.string();
}

std::vector<Path> overlay_homes(const Store& store) {
  const Layout& layout = store.layout();
  std::vector<Path> homes{layout.home()};
  if (layout.has_image_store()) homes.push_back(layout.image_home());
  for (const auto& root : store.options().for_driver(layout.driver).additional_image_stores)
    homes.push_back(root / layout.driver);
  return homes;
}

std::optional<std::vector<std::string>> expected_lowers(const CheckedRecords& records,
                                                        const LayerRecord& layer) {
  const auto is_mapped = [](const LayerRecord& one) {
    return !one.ids.uids.empty() || !one.ids.gids.empty();
  };
  if (is_mapped(layer)) return std::nullopt;
  std::vector<std::string> result;
  std::string id = layer.parent;
  while (!id.empty() && result.size() <= records.layers.entries().size()) {
    const auto* entry = records.layers.find_entry(id);
    // Of an additional store: what is below it is not in these records.
    if (entry == nullptr || is_mapped(entry->record)) return std::nullopt;
    result.push_back(id);
    id = entry->record.parent;
  }
  return result;
}

std::string trouble_with_links(const Path& home, const OverlayHomes& homes, const LayerRecord& layer,
                               const std::vector<std::string>& expected) {
  const Path directory = homes.directory(layer.id);
  const std::string link = chain_file(directory / "link");
  if (!is_link_name(link)) return "its link file is missing or malformed";
  if (read_link_text(home / "l" / link) != "../" + layer.id + "/diff")
    return "its symbolic link l/" + link + " is missing or leads elsewhere";
  if (expected.empty() && !is_real_directory(directory / "empty")) return "its empty directory is missing";
  const auto lower = ids_of_links(homes.homes(), chain_file(directory / "lower"));
  if (lower != expected) return "its lower file does not name the layers below it";
  const auto layers = os::find_file(directory / "lower-layers", max_chain_file);
  if (layers && parts_of(*layers) != expected)
    return "its lower-layers file does not name the layers below it";
  return "";
}

void write_links(const Path& home, const OverlayHomes& homes, const LayerRecord& layer) {
  const Path directory = home / layer.id;
  const std::string link = link_name_for(home, layer.id);
  const std::string target = "../" + layer.id + "/diff";
  if (chain_file(directory / "link") != link) write_chain_file(directory / "link", link);
  if (read_link_text(home / "l" / link) != target) {
    os::mkdir_all(home / "l", 0755);
    os::remove_file(home / "l" / link);
    if (::symlink(target.c_str(), (home / "l" / link).c_str()) != 0)
      throw Error::from_errno(errno, "create " + (home / "l" / link).string());
  }
  if (layer.parent.empty()) {
    os::mkdir_all(directory / "empty", 0700);
    os::remove_file(directory / "lower");
    os::remove_file(directory / "lower-layers");
    return;
  }
  const auto chain = homes.chain_above(layer.parent);
  if (chain_file(directory / "lower") != chain.lower) write_chain_file(directory / "lower", chain.lower);
  if (chain_file(directory / "lower-layers") != chain.lower_layers)
    write_chain_file(directory / "lower-layers", chain.lower_layers);
}

void check_layer_files(Check& check) {
  const auto homes = overlay_homes(check.store);
  for (const auto& [layer, place] : check.records.layers.entries()) {
    if (layer.is_incomplete() || !is_id(layer.id)) continue;
    const Path home = place == Place::image_store ? check.layout.image_home() : check.layout.home();
    if (check.layout.driver == "overlay") {
      check_overlay_layer(check, homes, home, layer);
    } else if (!is_real_directory(home / "dir" / layer.id)) {
      check.add_damage(layer.id, "its files are gone", home / "dir" / layer.id);
    }
    check_tar_split(check, layer);
    for (const std::string& key : layer.big_data_names)
      if (const Path path = check.layout.layers() / layer.id / big_data_file_name(key); !is_there(path))
        check.add_layer(layer.id, fmt::format("its item {} is gone", key), path);
  }
}

void check_orphans(Check& check) {
  const Layout& layout = check.layout;
  const bool overlay = layout.driver == "overlay";
  std::vector<Path> homes{layout.home()};
  if (layout.has_image_store()) homes.push_back(layout.image_home());
  for (const Path& home : homes) {
    find_orphan_directories(check, overlay ? home : home / "dir");
    find_stale_temp(check, home / "tempdirs");
  }
  find_stale_temp(check, layout.layers() / "tmp");
  for (const Path& path : entries_of(layout.layers())) {
    const std::string name = path.filename();
    const bool is_split = name.ends_with(split_suffix);
    const std::string id = is_split ? name.substr(0, name.size() - split_suffix.size()) : name;
    if (is_id(id) && check.records.layers.find_entry(id) == nullptr)
      check.add_orphan(path, "this belongs to no layer");
  }
  for (const Path& path : entries_of(layout.images()))
    if (is_id(path.filename().string()) &&
        check.records.images.find_entry(path.filename().string()) == nullptr)
      check.add_orphan(path, "this belongs to no image");
  for (const Path& path : entries_of(layout.containers()))
    if (is_id(path.filename().string()) &&
        check.records.containers.find_entry(path.filename().string()) == nullptr)
      check.add_orphan(path, "this belongs to no container");
}

void check_mounts(Check& check) {
  const Path file = check.layout.run_layers() / "mountpoints.json";
  std::set<Path> counted;
  std::vector<spec::Json> entries;
  try {
    entries = read_json_array(file);
  } catch (const Error& error) {
    return check.add({.path = file, .problem = error.what()});
  }
  for (const auto& entry : entries) {
    const FieldReader fields(entry, file.string());
    const std::string id = fields.text("id");
    const Path path = fields.text("path");
    counted.insert(path);
    if (!check.records.knows_layer(id)) {
      check.add_layer(id, "it is counted as mounted, but not in the store", file, Mend::plain,
                      Remedy::forget_mount);
    } else if (check.layout.driver == "overlay" && !os::is_mount_point(path)) {
      // Without the rights of root, it may be mounted where we do not see it.
      const bool rootless = check.store.options().rootless;
      check.add_layer(
          id, fmt::format("it is counted as mounted {} times, but is not", fields.integer("count")), path,
          rootless ? Mend::never : Mend::plain, rootless ? Remedy::none : Remedy::forget_mount);
    }
  }
  if (check.layout.driver != "overlay") return;
  for (const auto& [layer, place] : check.records.layers.entries()) {
    const Path merged = check.layout.home() / layer.id / "merged";
    if (!counted.contains(merged) && os::is_mount_point(merged))
      check.add_layer(layer.id, "it is mounted, but nobody counts that", merged);
  }
}

}  // namespace lade::store
