#include "sync/journal.hpp"

#include <fmt/format.h>

#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"

namespace lade::sync {
namespace {

constexpr std::string_view heading = R"({"lade-sync-journal":1})";
constexpr std::uint64_t max_journal = 1024ull * 1024 * 1024;
constexpr std::size_t max_line = 64 * 1024;
// Lines that later ones have replaced are dropped when there are more of them than this, and than of others.
constexpr std::size_t many_stale_lines = 1000;

using Key = std::pair<std::string, std::string>;
using Entries = std::map<Key, Journal::Entry>;

std::string line_of(const Key& key, const Journal::Entry& entry) {
  return spec::dump_json({{"from", key.first},
                          {"to", key.second},
                          {"source", entry.source.str()},
                          {"written", entry.written.str()}}) +
         "\n";
}

void read_line(std::string_view line, Entries& entries) {
  const auto document = spec::try_parse_json(line, max_line);
  if (!document || !document->is_object()) return;
  try {
    const auto text = [&](std::string_view name) { return spec::string_member(*document, name, "journal"); };
    const Journal::Entry entry{spec::Digest::parse(text("source")), spec::Digest::parse(text("written"))};
    entries.insert_or_assign({text("from"), text("to")}, entry);
  } catch (const Error&) {  // a line that is not ours says nothing
  }
}

struct Contents {
  Entries entries;
  std::size_t lines = 0;
  bool ends_in_line = true;  // its last byte ends a line
};

Contents parse(std::string_view text, const std::string& path) {
  Contents contents;
  if (text.substr(0, text.find('\n')) != heading)
    throw Error(Kind::invalid_input,
                path + " is not a journal of lade sync; name another file with --journal");
  contents.ends_in_line = text.ends_with('\n');
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (contents.lines++ > 0) read_line(text.substr(0, end), contents.entries);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return contents;
}

void rewrite(const std::filesystem::path& path, const Entries& entries) {
  std::string text = fmt::format("{}\n", heading);
  for (const auto& [key, entry] : entries) text += line_of(key, entry);
  os::write_file(path, text, {.mode = 0600});
}

}  // namespace

std::unique_ptr<Journal> Journal::open(const Context& context, const std::filesystem::path& path) {
  return in_context("opening the journal", [&] {
    if (path.has_parent_path()) os::mkdir_all(path.parent_path(), 0700);
    os::LockFile lock(context, path.string() + ".lock");
    Entries entries;
    const auto text = os::find_file(path, max_journal);
    if (text && !text->empty()) {
      Contents contents = parse(*text, path.string());
      entries = std::move(contents.entries);
      const std::size_t stale = contents.lines - 1 - std::min(entries.size(), contents.lines - 1);
      if (!contents.ends_in_line || (stale > many_stale_lines && stale > entries.size()))
        rewrite(path, entries);
    } else {
      rewrite(path, entries);
    }
    return std::unique_ptr<Journal>(
        new Journal(std::move(lock), os::open_file(path, O_WRONLY | O_APPEND), std::move(entries)));
  });
}

std::optional<Journal::Entry> Journal::find(const std::string& source, const std::string& destination) {
  auto entries = entries_.lock();
  const auto found = entries->find({source, destination});
  return found == entries->end() ? std::nullopt : std::optional(found->second);
}

void Journal::add(const std::string& source, const std::string& destination, const Entry& entry) {
  const Key key{source, destination};
  const std::string line = line_of(key, entry);
  auto entries = entries_.lock();
  os::write_all(fd_, io::as_bytes(line));
  entries->insert_or_assign(key, entry);
}

}  // namespace lade::sync
