// The last system calls of a container's process, ending in execve(2), as data.
//
// They are made by a program of a few hundred bytes that is built in memory and executed in place of this one
// (a sealed memfd). So what waits for `start`, and what a container finds under /proc/<pid>/exe, is never the
// file of lade (CVE-2019-5736): nothing in the container can open it, whatever it makes the kernel execute.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runtime {

struct TailCall {
  enum Flag : std::uint32_t {
    ignore_error = 1,  // and go on
    ignore_eperm = 2,
    wait = 4,     // a read(2) that MUST give something; the process ends quietly when it gives nothing
    execute = 8,  // execve(2): does not return
  };
  std::int64_t number = -1;  // of the system call; -1 after the last one
  std::uint32_t flags = 0;
  std::int32_t stage = 0;           // for the report of a failure
  std::uint64_t store = 0;          // where the result is put, an int; 0: nowhere
  std::uint64_t text = 0;           // says what failed, for standard error
  std::uint64_t arguments[6] = {};  // numbers or addresses
};

// What is sent over the socket `error_fd` when a call failed.
struct TailReport {
  std::int32_t stage, error;
};

struct TailHeader {
  std::int64_t error_fd = -1;
  std::uint64_t calls = 0;   // address of the first one
  std::uint64_t errors = 0;  // address of TailError[]; the last one has the error 0 and serves for all others
};

struct TailError {
  std::int64_t error;
  std::uint64_t text;
};

// Grows the data; positions are offsets until place() makes addresses of them.
class Tail {
 public:
  using Offset = std::uint64_t;
  struct Argument {
    std::uint64_t value = 0;
    bool is_offset = false;
    Argument(std::uint64_t number) : value(number) {}  // NOLINT: numbers are arguments
    static Argument at(Offset offset) {
      Argument argument(offset);
      argument.is_offset = true;
      return argument;
    }
  };

  Offset add_bytes(const void* data, std::size_t size);
  Offset add_string(std::string_view text);
  // A NULL-terminated array of strings.
  Offset add_strings(std::span<const std::string> strings);

  // The 8 bytes at `where` become the address of `target`.
  void point(Offset where, Offset target);

  // `text` is what a person reads when it fails, such as "setresuid".
  void call(std::int64_t number, std::initializer_list<Argument> arguments, std::string_view text,
            std::uint32_t flags = 0);
  // The result of the call before is the first argument of the one after it.
  void pass_result();
  // It is stored, as 8 bytes.
  void store_result(Offset where);
  std::size_t last_call() const { return calls_.size() - 1; }

  // The whole data as it stands in memory at `base`. Of a report, texts()[stage] says what failed.
  std::vector<std::byte> place(std::uint64_t base, int error_fd) const;
  // Where in the placed data the argument of a call stands.
  std::size_t argument_position(std::size_t call, std::size_t argument) const;
  // Of what add_... gave as `offset`: the address in `placed`, which place() gave for `base`.
  std::uint64_t address_of(Offset offset, const std::vector<std::byte>& placed, std::uint64_t base) const {
    return base + placed.size() - data_.size() + offset;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  struct Call {
    TailCall call;
    std::array<bool, 6> is_offset{};
    bool passes_result = false, stores_result = false;
    Offset stored_at = 0;
  };
  std::vector<std::byte> data_;
  std::vector<Offset> pointers_;  // within data_: offsets that become addresses
  std::vector<Call> calls_;
  std::vector<std::string> texts_;
};

// Where the program of tail_program() has its data; 0 where there is none for this processor.
std::uint64_t tail_base();
// An ELF file that makes the calls of `data`, placed at tail_base().
std::vector<std::byte> tail_program(std::span<const std::byte> data);
// The offset of `data` in that file.
std::size_t tail_data_offset();

// Makes the calls in this process: does not return. Async-signal-safe.
[[noreturn]] void run_tail(const TailHeader& header);

}  // namespace lade::runtime
