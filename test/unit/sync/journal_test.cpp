#include "sync/journal.hpp"

#include <doctest/doctest.h>

#include "io/digester.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::test;
using sync::Journal;

namespace {

const Journal::Entry one{io::digest_of("a"), io::digest_of("b")};
const Journal::Entry two{io::digest_of("c"), io::digest_of("d")};

}  // namespace

TEST_CASE("a journal remembers the last word about an image") {
  const Directory directory;
  const auto path = directory / "state/sync.journal";
  {
    const auto journal = Journal::open(background(), path);
    CHECK_FALSE(journal->find("from", "to"));
    journal->add("from", "to", one);
    journal->add("from", "to", two);
    journal->add("from", "elsewhere", one);
  }
  const auto journal = Journal::open(background(), path);
  CHECK(journal->find("from", "to") == two);
  CHECK(journal->find("from", "elsewhere") == one);
  CHECK_FALSE(journal->find("other", "to"));
}

TEST_CASE("a line that a crash cut off does not spoil those before and after it") {
  const Directory directory;
  const auto path = directory / "sync.journal";
  Journal::open(background(), path)->add("a", "b", one);
  directory.write("sync.journal", directory.read("sync.journal") + R"({"from":"x","to":"y","sou)");
  Journal::open(background(), path)->add("c", "d", two);
  const auto journal = Journal::open(background(), path);
  CHECK(journal->find("a", "b") == one);
  CHECK(journal->find("c", "d") == two);
}

TEST_CASE("a file of another kind is not overwritten") {
  const Directory directory;
  directory.write("diary", "Dear diary\n");
  CHECK(kind_of([&] { Journal::open(background(), directory / "diary"); }) == Kind::invalid_input);
  CHECK(directory.read("diary") == "Dear diary\n");
}

TEST_CASE("replaced lines are dropped when there are many") {
  const Directory directory;
  const auto path = directory / "sync.journal";
  {
    const auto journal = Journal::open(background(), path);
    for (int i = 0; i < 3000; ++i) journal->add("a", "b", i % 2 ? one : two);
  }
  const auto before = directory.read("sync.journal").size();
  CHECK(Journal::open(background(), path)->find("a", "b") == one);
  CHECK(directory.read("sync.journal").size() < before / 100);
}
