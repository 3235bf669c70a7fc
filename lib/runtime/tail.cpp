#include "runtime/tail.hpp"

#include <elf.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "base/error.hpp"

namespace lade::runtime {
namespace {

constexpr std::uint64_t page = 65536;  // the largest that these processors have
constexpr std::uint64_t code_address = 0x10000000;
// Where the data is in the file and, a multiple of all page sizes further, in memory.
constexpr std::size_t data_offset_in_file = 0x4000;
constexpr std::uint64_t data_address = 0x20000000 + data_offset_in_file;

constexpr std::pair<int, std::string_view> error_texts[] = {
    {ENOENT, "no such file or directory"},
    {EACCES, "permission denied"},
    {EPERM, "operation not permitted"},
    {ENOEXEC, "exec format error"},
    {ENOMEM, "cannot allocate memory"},
    {E2BIG, "argument list too long"},
    {ELOOP, "too many levels of symbolic links"},
    {ETXTBSY, "text file busy"},
    {EINVAL, "invalid argument"},
    {EIO, "input/output error"},
    {EAGAIN, "resource temporarily unavailable"},
    {ELIBBAD, "accessing a corrupted shared library"},
};

template <class T>
void put(std::vector<std::byte>& data, std::size_t position, const T& value) {
  std::memcpy(data.data() + position, &value, sizeof value);
}

constexpr std::size_t aligned(std::size_t size) {
  return (size + 15) / 16 * 16;
}

}  // namespace

Tail::Offset Tail::add_bytes(const void* data, std::size_t size) {
  const Offset offset = data_.size();
  data_.resize(aligned(offset + size));
  if (size > 0) std::memcpy(data_.data() + offset, data, size);
  return offset;
}

Tail::Offset Tail::add_string(std::string_view text) {
  const std::string terminated(text);
  return add_bytes(terminated.c_str(), terminated.size() + 1);
}

Tail::Offset Tail::add_strings(std::span<const std::string> strings) {
  std::vector<std::uint64_t> addresses;
  for (const std::string& text : strings) addresses.push_back(add_string(text));
  addresses.push_back(0);
  const Offset offset = add_bytes(addresses.data(), addresses.size() * sizeof addresses[0]);
  for (std::size_t i = 0; i < strings.size(); ++i) pointers_.push_back(offset + i * sizeof addresses[0]);
  return offset;
}

void Tail::call(std::int64_t number, std::initializer_list<Argument> arguments, std::string_view text,
                std::uint32_t flags) {
  Call entry;
  entry.call.number = number;
  entry.call.flags = flags;
  entry.call.stage = static_cast<std::int32_t>(calls_.size());
  std::size_t i = 0;
  for (const Argument& argument : arguments) {
    entry.call.arguments[i] = argument.value;
    entry.is_offset[i++] = argument.is_offset;
  }
  texts_.emplace_back(text);
  calls_.push_back(entry);
}

void Tail::point(Offset where, Offset target) {
  std::memcpy(data_.data() + where, &target, sizeof target);
  pointers_.push_back(where);
}

void Tail::store_result(Offset where) {
  calls_.back().stores_result = true;
  calls_.back().stored_at = where;
}

void Tail::pass_result() {
  calls_.back().passes_result = true;
}

namespace {
constexpr std::size_t calls_offset = aligned(sizeof(TailHeader));
}

std::size_t Tail::argument_position(std::size_t call, std::size_t argument) const {
  return calls_offset + call * sizeof(TailCall) + offsetof(TailCall, arguments) +
         argument * sizeof(std::uint64_t);
}

// The data is last: only where it begins depends on the texts.
// Header, calls, table of errors, texts, data.
std::vector<std::byte> Tail::place(std::uint64_t base, int error_fd) const {
  const std::size_t calls_size = aligned((calls_.size() + 1) * sizeof(TailCall));
  const std::size_t errors_offset = calls_offset + calls_size;
  const std::size_t errors_size = aligned((std::size(error_texts) + 1) * sizeof(TailError));
  std::string texts;  // each a length and as many bytes
  const auto add_text = [&](std::string_view text) {
    const std::size_t position = texts.size();
    const std::uint64_t length = text.size();
    texts.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
    texts.resize(aligned(texts.size()));
    return base + errors_offset + errors_size + position;
  };
  std::vector<std::byte> placed(errors_offset + errors_size);
  put(placed, 0, TailHeader{error_fd, base + calls_offset, base + errors_offset});
  std::vector<std::uint64_t> call_texts;
  for (const std::string& text : texts_) call_texts.push_back(add_text(text));
  for (std::size_t i = 0; i < std::size(error_texts); ++i) {
    put(placed, errors_offset + i * sizeof(TailError),
        TailError{error_texts[i].first, add_text(": " + std::string(error_texts[i].second) + "\n")});
  }
  put(placed, errors_offset + std::size(error_texts) * sizeof(TailError),
      TailError{0, add_text(": failed\n")});
  const std::uint64_t data_base = base + placed.size() + aligned(texts.size());
  for (std::size_t i = 0; i <= calls_.size(); ++i) {
    TailCall entry;  // the one after the last has the number -1
    if (i < calls_.size()) {
      entry = calls_[i].call;
      for (std::size_t a = 0; a < 6; ++a) entry.arguments[a] += calls_[i].is_offset[a] ? data_base : 0;
      if (calls_[i].passes_result) entry.store = base + argument_position(i + 1, 0);
      if (calls_[i].stores_result) entry.store = data_base + calls_[i].stored_at;
      entry.text = call_texts[i];
    }
    put(placed, calls_offset + i * sizeof(TailCall), entry);
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(texts.data());
  placed.insert(placed.end(), bytes, bytes + texts.size());
  const std::size_t data_offset = placed.size();
  placed.insert(placed.end(), data_.begin(), data_.end());
  for (const Offset pointer : pointers_) {
    std::uint64_t value = 0;
    std::memcpy(&value, placed.data() + data_offset + pointer, sizeof value);
    put(placed, data_offset + pointer, value + data_base);
  }
  return placed;
}

#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
#define LADE_HAS_TAIL_PROGRAM 1
#endif

#if defined(__clang__)
#define LADE_PLAIN_CODE __attribute__((no_sanitize("address", "undefined", "thread", "coverage")))
#else
#define LADE_PLAIN_CODE                                                                   \
  __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_sanitize("thread"), \
                 no_sanitize_coverage, no_stack_protector))
#endif
#define LADE_TAIL_CODE LADE_PLAIN_CODE __attribute__((section("lade_tail"), used, noinline))
#define LADE_TAIL_PART static inline __attribute__((always_inline)) LADE_PLAIN_CODE

namespace {

using Word = std::uint64_t;

LADE_TAIL_PART long tail_syscall(std::int64_t number, Word a, Word b, Word c, Word d, Word e, Word f) {
#if defined(__x86_64__)
  long result;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register std::int64_t x8 asm("x8") = number;
  register Word x0 asm("x0") = a;
  register Word x1 asm("x1") = b;
  register Word x2 asm("x2") = c;
  register Word x3 asm("x3") = d;
  register Word x4 asm("x4") = e;
  register Word x5 asm("x5") = f;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return static_cast<long>(x0);
#elif defined(__riscv)
  register std::int64_t a7 asm("a7") = number;
  register Word a0 asm("a0") = a;
  register Word a1 asm("a1") = b;
  register Word a2 asm("a2") = c;
  register Word a3 asm("a3") = d;
  register Word a4 asm("a4") = e;
  register Word a5 asm("a5") = f;
  asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return static_cast<long>(a0);
#else
  const long result = ::syscall(static_cast<long>(number), a, b, c, d, e, f);
  return result < 0 ? -errno : result;
#endif
}

LADE_TAIL_PART long tail_call(const TailCall& call) {
  return tail_syscall(call.number, call.arguments[0], call.arguments[1], call.arguments[2], call.arguments[3],
                      call.arguments[4], call.arguments[5]);
}

LADE_TAIL_PART void tail_exit(int status) {
  for (;;) tail_syscall(SYS_exit_group, static_cast<Word>(status), 0, 0, 0, 0, 0);
}

// `text` is the address of a length and as many bytes.
LADE_TAIL_PART void tail_say(Word text) {
  tail_syscall(SYS_write, 2, text + sizeof(Word), *reinterpret_cast<const Word*>(text), 0, 0, 0);
}

// To the one that waits on the socket; where nobody does (after `start`), to standard error.
LADE_TAIL_PART void tail_fail(const TailHeader& header, const TailCall& call, int error) {
  TailReport report;
  report.stage = call.stage;
  report.error = error;
  constexpr Word no_signal = 0x4000;
  if (tail_syscall(SYS_sendto, static_cast<Word>(header.error_fd), reinterpret_cast<Word>(&report),
                   sizeof report, no_signal, 0, 0) < 0) {
    tail_say(call.text);
    const auto* entry = reinterpret_cast<const TailError*>(header.errors);
    while (entry->error != 0 && entry->error != error) ++entry;
    tail_say(entry->text);
  }
  const bool executing = (call.flags & TailCall::execute) != 0;
  tail_exit(!executing ? 1 : error == ENOENT ? 127 : 126);
}

LADE_TAIL_PART void make_tail_calls(const TailHeader& header) {
  for (auto* call = reinterpret_cast<TailCall*>(header.calls); call->number >= 0; ++call) {
    long result = tail_call(*call);
    while (result == -EINTR) result = tail_call(*call);
    if (call->store != 0) *reinterpret_cast<Word*>(call->store) = static_cast<Word>(result);
    if ((call->flags & TailCall::wait) != 0 && result <= 0) tail_exit(1);
    const bool ignored = (call->flags & TailCall::ignore_error) != 0 ||
                         (result == -EPERM && (call->flags & TailCall::ignore_eperm) != 0);
    if (result < 0 && !ignored) tail_fail(header, *call, static_cast<int>(-result));
  }
  tail_exit(1);
}

}  // namespace

LADE_PLAIN_CODE void run_tail(const TailHeader& header) {
  make_tail_calls(header);
  __builtin_unreachable();
}

#ifdef LADE_HAS_TAIL_PROGRAM

// Copied as it is into another program: calls nothing, uses no data but what it is given.
#ifdef __x86_64__
__attribute__((force_align_arg_pointer))
#endif
LADE_TAIL_CODE void
lade_tail_entry() {
  make_tail_calls(*reinterpret_cast<const TailHeader*>(data_address));
  __builtin_unreachable();
}

}  // namespace lade::runtime

extern "C" const std::byte __start_lade_tail[];
extern "C" const std::byte __stop_lade_tail[];

namespace lade::runtime {

std::uint64_t tail_base() {
  return data_address;
}

std::size_t tail_data_offset() {
  return data_offset_in_file;
}

std::vector<std::byte> tail_program(std::span<const std::byte> data) {
  const std::span<const std::byte> code(__start_lade_tail, __stop_lade_tail);
  constexpr std::size_t headers = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  if (headers + code.size() > data_offset_in_file) throw Error(Kind::system, "the tail's code is too long");
  std::vector<std::byte> file(data_offset_in_file + data.size());
  const std::uint64_t entry =
      code_address + headers +
      static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&lade_tail_entry) - code.data());
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
#if defined(__x86_64__)
  header.e_machine = EM_X86_64;
#elif defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_RISCV;
#endif
  header.e_version = EV_CURRENT;
  header.e_entry = entry;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  put(file, 0, header);
  put(file, sizeof header,
      Elf64_Phdr{PT_LOAD, PF_R | PF_X, 0, code_address, code_address, headers + code.size(),
                 headers + code.size(), page});
  put(file, sizeof header + sizeof(Elf64_Phdr),
      Elf64_Phdr{PT_LOAD, PF_R | PF_W, data_offset_in_file, data_address, data_address, data.size(),
                 data.size(), page});
  std::memcpy(file.data() + headers, code.data(), code.size());
  std::memcpy(file.data() + data_offset_in_file, data.data(), data.size());
  return file;
}

#else

std::uint64_t tail_base() {
  return 0;
}
std::size_t tail_data_offset() {
  return 0;
}
std::vector<std::byte> tail_program(std::span<const std::byte>) {
  throw Error(Kind::unsupported, "no tail program for this processor");
}

#endif

}  // namespace lade::runtime
