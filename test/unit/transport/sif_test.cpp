#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"
#include "transport/sif/definition.hpp"
#include "transport/sif/sif_file.hpp"

using namespace lade;
using namespace lade::test;
using transport::sif::DataObject;
using transport::sif::Definition;
using transport::sif::SifFile;

namespace {

// A SIF file of one object, some of whose numbers can be changed.
struct SifBytes {
  std::string text = std::string(128 + 585, '\0');

  SifBytes() {
    std::memcpy(text.data() + 32, "SIF_MAGIC", 9);
    std::memcpy(text.data() + 42, "01", 2);
    std::memcpy(text.data() + 45, "04", 2);
    set(88, 1);
    set(96, 128);
    set(128, 0x4004, 4);
    set(128 + 4, 1, 1);
    set(128 + 17, 128);
    set(128 + 25, 10);
    set(128 + 201, 1, 4);
    set(128 + 205, 2, 4);
  }
  void set(std::size_t offset, std::uint64_t value, std::size_t size = 8) {
    std::memcpy(text.data() + offset, &value, size);
  }
  SifFile open() const {
    const Directory directory;
    directory.write("file.sif", text);
    return SifFile::open((directory / "file.sif").string());
  }
};

}  // namespace

TEST_CASE("the objects of a SIF file are found") {
  const SifFile file = SifBytes().open();
  CHECK(file.architecture() == "arm64");
  CHECK(file.id() == "00000000-0000-0000-0000-000000000000");
  CHECK(file.root().file_system == transport::sif::squashfs);
  CHECK(file.root().size == 10);
  CHECK(file.find(DataObject::Type::definition) == nullptr);
}

TEST_CASE("an object that is not in use is not there") {
  SifBytes bytes;
  bytes.set(128 + 4, 0, 1);
  CHECK(message_of([&] { bytes.open().root(); }) == "looking up rootfs from SIF file: object not found");
}

TEST_CASE("numbers that point out of a SIF file are refused") {
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  for (const std::size_t offset : {88, 96, 128 + 17, 128 + 25}) {
    SifBytes bytes;
    for (const std::uint64_t value : {huge, huge >> 1, std::uint64_t{1} << 32}) {
      bytes.set(offset, value);
      CHECK(kind_of([&] { bytes.open(); }) == Kind::invalid_input);
    }
  }
  SifBytes cut;
  cut.text.resize(200);
  CHECK(kind_of([&] { cut.open(); }) == Kind::invalid_input);
  cut.text.resize(20);
  CHECK(kind_of([&] { cut.open(); }) == Kind::invalid_input);
}

TEST_CASE("a definition's environment and script become one script") {
  const auto definition = Definition::parse(
      "Bootstrap: library\n%environment\n  export A=1\n\n# comment\n%post\n ignored\n%runscript\n  echo "
      "$A\n\n  done\n%help\nno\n");
  CHECK(definition.environment == std::vector<std::string>{"export A=1"});
  CHECK(definition.script() == "#!/bin/bash\nexport A=1\necho $A\n\ndone\n");
  CHECK(Definition::parse("Bootstrap: x\n%post\n y\n").says_nothing());
}
