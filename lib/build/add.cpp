#include "build/add.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/error.hpp"
#include "base/scope_exit.hpp"
#include "build/destination.hpp"
#include "build/glob.hpp"
#include "build/source_items.hpp"
#include "build/users.hpp"
#include "layer/apply.hpp"
#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "spec/time.hpp"

namespace lade::build {

using spec::Json;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t max_ignore_file = 4 * 1024 * 1024;

std::uint32_t parse_mode(const std::string& text) {
  std::uint32_t mode = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || mode > 07777)
    throw Error(Kind::invalid_input, fmt::format("parsing chmod \"{}\": invalid syntax", text));
  return mode;
}

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// What one name of the command line stands for.
struct MatchedSource {
  std::shared_ptr<os::Root> tree;  // null: items are in the context
  std::string pattern;             // as looked up
  std::vector<SourceItem> items;
  std::size_t pivot = 0;  // --parents: the part of a path before this many characters is not kept
};

class Addition {
 public:
  Addition(const Builders& builders, Builder& builder, const AddOptions& options)
      : builders_(builders),
        context_(builders.context()),
        builder_(builder),
        options_(options),
        context_root_(options.context_directory.empty() ? fs::path("/") : options.context_directory),
        excludes_(options.excludes) {}

  ContentDigests::Summary run(const std::string& destination, const std::vector<AddSource>& sources) {
    for (const auto& source : sources) {
      if (source.name.empty()) throw Error(Kind::invalid_input, "empty source location");
      if (!source.tree.empty())
        matched_.push_back(match_tree(source.tree));
      else if (source.downloaded.empty())
        matched_.push_back(match(source.name));
    }
    MountedBuilder mounted(builders_, builder_);
    const os::Root container{fs::path(mounted.path())};
    changes_ = changes_in(container);
    const auto summary =
        options_.link ? add_linked(destination, sources) : add_below(container, destination, sources);
    mounted.unmount();
    return summary;
  }

 private:
  std::string context_name() const {
    return options_.context_directory.empty() ? "/" : options_.context_directory.string();
  }

  EntryChanges changes_in(const os::Root& container) const {
    EntryChanges changes;
    if (!options_.chown.empty()) {
      const auto user =
          in_context([&] { return fmt::format("looking up UID/GID for \"{}\"", options_.chown); },
                     [&] { return find_user(container, options_.chown); });
      changes.owner = Owner{user.uid, user.gid};
    } else if (!options_.keep_owners) {
      changes.owner = Owner{};
    }
    if (!options_.chmod.empty()) changes.mode = parse_mode(options_.chmod);
    changes.mtime = options_.timestamp;
    return changes;
  }

  // The path below the context's root.
  std::string path_in_context(const std::string& name) const {
    if (options_.context_directory.empty())
      return name.starts_with('/') ? name : (fs::current_path() / name).string();
    if (name.starts_with('/')) {
      const std::string top = options_.context_directory.string();
      if (name == top || name.starts_with(top + "/")) return name.substr(top.size());
      return name;
    }
    int depth = 0;
    for (const auto& part : fs::path(name)) {
      depth += part == ".." ? -1 : part == "." || part.empty() ? 0 : 1;
      if (depth < 0)
        throw Error(
            Kind::invalid_input,
            fmt::format("checking on sources under \"{}\": possible escaping context directory error: "
                        "\"{}\" is outside of \"{}\"",
                        context_name(), name, context_name()));
    }
    return name;
  }

  MatchedSource match(const std::string& name) const {
    MatchedSource result;
    std::string path = path_in_context(name);
    if (options_.parents) {
      if (const auto pivot = path.find("/./"); pivot != std::string::npos)
        result.pivot = fs::path(path.substr(0, pivot + 1)).lexically_normal().relative_path().string().size();
    }
    result.pattern = fs::path("/" + path).lexically_normal().relative_path().string();
    if (result.pattern.ends_with('/')) result.pattern.pop_back();
    for (auto& match : expand_glob(context_, context_root_, result.pattern)) {
      SourceItem item;
      const auto stat = find_in_root(context_root_, match, true);
      if (!stat) continue;  // a link to nothing
      item.stat = *stat;
      item.is_archive = options_.extract && S_ISREG(stat->st_mode) && is_archive(context_root_, match);
      item.path = std::move(match);
      result.items.push_back(std::move(item));
    }
    if (result.items.empty())
      throw Error(
          Kind::not_found,
          fmt::format("checking on sources under \"{}\": copier: stat: [\"{}\"]: no such file or directory",
                      context_name(), "/" + result.pattern));
    return result;
  }

  static MatchedSource match_tree(const fs::path& tree) {
    MatchedSource result{std::make_shared<os::Root>(tree), "", {{"", {}, false}}};
    result.items.front().stat = *find_in_root(*result.tree, ".", true);
    return result;
  }

  DestinationRequest request_for(const std::string& destination, const std::vector<AddSource>& sources) {
    DestinationRequest request;
    request.destination = destination;
    request.working_directory = builder_.settings().text("WorkingDir");
    request.sources = sources.size();
    if (sources.size() != 1) return request;
    if (matched_.empty()) {
      request.single_file = true;
      return request;
    }
    if (matched_[0].items.size() > 1) request.sources = matched_[0].items.size();
    const SourceItem& only = matched_[0].items.front();
    request.single_file = S_ISREG(only.stat.st_mode) && !only.is_archive && !options_.parents;
    request.needs_directory = S_ISDIR(only.stat.st_mode) || only.is_archive || options_.parents;
    return request;
  }

  ContentDigests::Summary add_below(const os::Root& root, const std::string& destination,
                                    const std::vector<AddSource>& sources) {
    auto request = request_for(destination, sources);
    request.is_new_root = options_.link;
    place_ = resolve_destination(root, request);
    const auto ids = options_.link ? layer::IdMaps() : builder_.id_maps();
    const auto directory =
        ensure_directory(root, place_.directory, owner_on_disk(ids, changes_.owner.value_or(Owner{})));
    ContentDigests digests;
    digests_ = options_.with_digest ? &digests : nullptr;
    ContentStream tar(all_entries(sources), digests_);
    layer::ApplyOptions apply;
    apply.whiteouts = layer::Whiteouts::none;
    apply.ids = ids;
    apply.rootless = builders_.store()->options().rootless;
    layer::apply(context_, tar, directory, apply);
    return digests.finish();
  }

  // One source after the other.
  ContentStream::Next all_entries(const std::vector<AddSource>& sources) {
    std::vector<ContentStream::Next> parts;
    std::size_t local = 0;
    for (const auto& source : sources) {
      if (source.downloaded.empty()) {
        add_source_parts(matched_[local++], parts);
      } else {
        const std::string name = place_.name.empty() ? base_name(source.name) : place_.name;
        parts.push_back(part_begins(""));
        auto entry = std::make_shared<std::optional<ContentEntry>>(
            entry_of_download(source.downloaded, name, source.modified, changes_));
        parts.push_back([entry] { return std::exchange(*entry, std::nullopt); });
      }
    }
    auto all = std::make_shared<std::vector<ContentStream::Next>>(std::move(parts));
    auto at = std::make_shared<std::size_t>(0);
    return [this, all, at]() -> std::optional<ContentEntry> {
      for (; *at < all->size(); ++*at)
        if (auto entry = (*all)[*at]()) return with_own_ids(std::move(entry));
      return std::nullopt;
    };
  }

  // Of a container that is shifted itself: as it sees them.
  std::optional<ContentEntry> with_own_ids(std::optional<ContentEntry> entry) const {
    if (changes_.owner) return entry;
    auto& header = entry->header;
    const auto uid = static_cast<std::uint32_t>(header.uid), gid = static_cast<std::uint32_t>(header.gid);
    header.uid = layer::to_container_id(options_.source_ids.uids, uid).value_or(uid);
    header.gid = layer::to_container_id(options_.source_ids.gids, gid).value_or(gid);
    return entry;
  }

  void add_source_parts(const MatchedSource& source, std::vector<ContentStream::Next>& parts) {
    std::size_t taken = 0;
    const os::Root& root = source.tree ? *source.tree : context_root_;
    for (const SourceItem& item : source.items) {
      const bool is_directory = S_ISDIR(item.stat.st_mode);
      if (!item.path.empty() && excludes_.excludes(item.path)) {
        if (!is_directory || !excludes_.may_include_below(item.path)) continue;
      }
      ++taken;
      parts.push_back(part_begins(source.tree ? "" : is_directory ? "dir" : "file"));
      std::string prefix;
      if (options_.parents) {
        const std::string shown = is_directory ? item.path + "/" : item.path;
        const std::size_t skipped = std::min(source.pivot, shown.size());
        parts.push_back(entries_of_parents(root, shown, skipped, changes_));
        const auto slash = shown.rfind('/');
        if (slash != std::string::npos && slash > skipped) prefix = shown.substr(skipped, slash - skipped);
      }
      const std::string name = place_.name.empty() ? base_name(item.path) : place_.name;
      parts.push_back(entries_of_item(context_, root, item, name, prefix, changes_, excludes_));
    }
    if (taken > 0) return;
    throw Error(
        Kind::not_found,
        fmt::format("no items matching glob \"{}\" copied ({} filtered out{}): no such file or directory",
                    context_name() == "/" ? "/" + source.pattern : context_name() + "/" + source.pattern,
                    source.items.size(),
                    options_.ignore_file.empty() ? "" : " using " + options_.ignore_file));
  }

  ContentStream::Next part_begins(const char* kind) {
    return [this, kind]() -> std::optional<ContentEntry> {
      if (digests_ != nullptr) digests_->begin(kind);
      return std::nullopt;
    };
  }

  // A directory in the container's own, which becomes a layer when it is committed.
  ContentDigests::Summary add_linked(const std::string& destination, const std::vector<AddSource>& sources) {
    std::string pattern =
        (builders_.store()->container_directory(builder_.id()) / "link-stage-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error::from_errno(errno, "mkdtemp " + pattern);
    const fs::path staging = pattern;
    ScopeExit discard([&] {
      try {
        os::remove_tree(staging);
      } catch (const std::exception& error) {
        context_.log.warning(error.what());
      }
    });
    if (::chmod(staging.c_str(), 0755) != 0) throw Error::from_errno(errno, "chmod " + pattern);
    if (destination.find("..") != std::string::npos)
      throw Error(Kind::invalid_input,
                  fmt::format("invalid destination path \"{}\": contains path traversal", destination));
    const auto summary = add_below(os::Root(staging), destination, sources);
    const std::string created = spec::format_time(options_.timestamp.value_or(latest_mtime()));
    const std::string created_by = fmt::format("/bin/sh -c #(nop) {} --link {} in {} ",
                                               options_.extract ? "ADD" : "COPY", summary.str(), destination);
    Json& queue = builder_.document()["AppendedLinkedLayers"];
    if (!queue.is_array()) queue = Json::array();
    queue.push_back(
        {{"History", {{"created", created}, {"created_by", created_by}}}, {"BlobPath", staging.string()}});
    builders_.save(builder_);
    discard.release();
    return summary;
  }

  std::int64_t latest_mtime() const {
    std::int64_t latest = 0;
    for (const auto& source : matched_)
      for (const auto& item : source.items) latest = std::max<std::int64_t>(latest, item.stat.st_mtim.tv_sec);
    return latest;
  }

  const Builders& builders_;
  const Context& context_;
  Builder& builder_;
  const AddOptions& options_;
  os::Root context_root_;
  ExcludePatterns excludes_;
  std::vector<MatchedSource> matched_;
  EntryChanges changes_;
  DestinationPlace place_;
  ContentDigests* digests_ = nullptr;  // of the copy that is under way; null if none are wanted
};

}  // namespace

ContentDigests::Summary add_content(const Builders& builders, Builder& builder,
                                    const std::string& destination, const std::vector<AddSource>& sources,
                                    const AddOptions& options) {
  return Addition(builders, builder, options).run(destination, sources);
}

IgnoreFile read_ignore_file(const fs::path& context_directory, const std::string& file) {
  if (!file.empty()) return {parse_ignore_file(os::read_file(file, max_ignore_file)), file};
  for (const char* name : {".containerignore", ".dockerignore"}) {
    const fs::path path = context_directory / name;
    if (const auto text = os::find_file(path, max_ignore_file))
      return {parse_ignore_file(*text), path.string()};
  }
  return {};
}

}  // namespace lade::build
