#include <fmt/format.h>
#include <gpgme.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "trust/gpg.hpp"

namespace lade::trust {

namespace {

struct ReleaseGpgme {
  void operator()(gpgme_ctx_t context) const noexcept { gpgme_release(context); }
  void operator()(gpgme_data_t data) const noexcept { gpgme_data_release(data); }
  void operator()(gpgme_key_t key) const noexcept { gpgme_key_unref(key); }
};
using ContextHandle = std::unique_ptr<std::remove_pointer_t<gpgme_ctx_t>, ReleaseGpgme>;
using DataHandle = std::unique_ptr<std::remove_pointer_t<gpgme_data_t>, ReleaseGpgme>;
using KeyHandle = std::unique_ptr<std::remove_pointer_t<gpgme_key_t>, ReleaseGpgme>;

// Of what a message may contain: a payload is a few hundred bytes.
constexpr std::size_t max_content = 4 << 20;

void check_gpgme(gpgme_error_t code, Kind kind = Kind::system) {
  if (code != GPG_ERR_NO_ERROR) throw Error(kind, gpgme_strerror(code));
}

ContextHandle make_context(const std::optional<os::TempDir>& directory) {
  static std::once_flag once;
  std::call_once(once, [] { gpgme_check_version(nullptr); });
  gpgme_ctx_t raw = nullptr;
  check_gpgme(gpgme_new(&raw));
  ContextHandle context(raw);
  check_gpgme(gpgme_set_protocol(raw, GPGME_PROTOCOL_OpenPGP));
  if (directory)
    check_gpgme(gpgme_ctx_set_engine_info(raw, GPGME_PROTOCOL_OpenPGP, nullptr, directory->path().c_str()));
  gpgme_set_armor(raw, 0);
  gpgme_set_textmode(raw, 0);
  // Keys are those we have: nothing is to be fetched from anywhere.
  gpgme_set_offline(raw, 1);
  return context;
}

// Refers to `text`.
DataHandle data_of(std::string_view text) {
  gpgme_data_t raw = nullptr;
  check_gpgme(gpgme_data_new_from_mem(&raw, text.data(), text.size(), 0));
  return DataHandle(raw);
}

// What gpg puts out, up to a limit: a message may be compressed, and its content is there before anybody
// knows whether it is signed.
class BoundedOutput {
 public:
  BoundedOutput() { check_gpgme(gpgme_data_new_from_cbs(&data_, &callbacks_, this)); }
  BoundedOutput(const BoundedOutput&) = delete;
  BoundedOutput& operator=(const BoundedOutput&) = delete;
  ~BoundedOutput() { gpgme_data_release(data_); }

  gpgme_data_t data() const { return data_; }
  bool is_full() const { return full_; }
  std::string take() { return std::move(text_); }

 private:
  static ssize_t write(void* handle, const void* bytes, std::size_t size) noexcept {
    auto& output = *static_cast<BoundedOutput*>(handle);
    if (size > max_content - output.text_.size()) {
      output.full_ = true;
      errno = EFBIG;
      return -1;
    }
    try {
      output.text_.append(static_cast<const char*>(bytes), size);
    } catch (const std::bad_alloc&) {
      errno = ENOMEM;
      return -1;
    }
    return static_cast<ssize_t>(size);
  }

  gpgme_data_cbs callbacks_{nullptr, write, nullptr, nullptr};
  gpgme_data_t data_ = nullptr;
  std::string text_;
  bool full_ = false;
};

KeyHandle find_key(gpgme_ctx_t context, const std::string& name, bool secret) {
  gpgme_key_t raw = nullptr;
  check_gpgme(gpgme_get_key(context, name.c_str(), &raw, secret ? 1 : 0), Kind::denied);
  return KeyHandle(raw);
}

// gpg may be told where to send a passphrase; the text that follows it is never shown.
gpgme_error_t give_passphrase(void* hook, const char*, const char*, int previous_was_bad, int fd) {
  if (previous_was_bad != 0) return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
  const auto& passphrase = *static_cast<const std::string*>(hook);
  const bool written =
      gpgme_io_writen(fd, passphrase.data(), passphrase.size()) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
  return written ? gpgme_error(GPG_ERR_NO_ERROR) : gpgme_error_from_errno(errno);
}

struct Outcome {
  gpgme_signature_t signature = nullptr;  // the first, owned by the context
  std::size_t count = 0;
  std::string content;
};

Outcome verify_message(gpgme_ctx_t context, std::string_view message) {
  const auto input = data_of(message);
  BoundedOutput output;
  const auto code = gpgme_op_verify(context, input.get(), nullptr, output.data());
  if (output.is_full()) throw Error(Kind::denied, "Invalid GPG signature: its content is too long");
  if (code != GPG_ERR_NO_ERROR)
    throw Error(Kind::denied, std::string("Invalid GPG signature: ") + gpgme_strerror(code));
  Outcome outcome;
  const auto* result = gpgme_op_verify_result(context);
  if (result != nullptr) outcome.signature = result->signatures;
  for (auto* one = outcome.signature; one != nullptr; one = one->next) ++outcome.count;
  outcome.content = output.take();
  return outcome;
}

std::string fingerprint_of(const _gpgme_signature& signature) {
  return signature.fpr == nullptr ? "" : signature.fpr;
}

[[noreturn]] void refuse_signature_of(const _gpgme_signature& signature) {
  std::string why = gpgme_strerror(signature.status);
  if (gpgme_err_code(signature.status) == GPG_ERR_NO_ERROR) {
    why = signature.wrong_key_usage ? "wrong key usage" : "the key is not valid";
  }
  throw Error(Kind::denied,
              fmt::format("Invalid GPG signature: {} (key {})", why, fingerprint_of(signature)));
}

}  // namespace

Gpg Gpg::of_user() {
  return {};
}

Gpg Gpg::with_keys(const std::vector<std::string>& keys, const std::filesystem::path& scratch) {
  Gpg gpg;
  gpg.directory_.emplace(scratch, "containers-ephemeral-gpg-");
  const auto context = make_context(gpg.directory_);
  for (const auto& key : keys) {
    const auto data = data_of(key);
    check_gpgme(gpgme_op_import(context.get(), data.get()), Kind::denied);
    const auto* result = gpgme_op_import_result(context.get());
    for (auto* one = result == nullptr ? nullptr : result->imports; one != nullptr; one = one->next)
      if (one->result == GPG_ERR_NO_ERROR && one->fpr != nullptr) gpg.fingerprints_.emplace_back(one->fpr);
  }
  return gpg;
}

Gpg::Verified Gpg::verify(std::string_view message) const {
  const auto context = make_context(directory_);
  auto outcome = verify_message(context.get(), message);
  if (outcome.count != 1)
    throw Error(Kind::denied, fmt::format("Unexpected GPG signature count {}", outcome.count));
  const auto& signature = *outcome.signature;
  const bool good = signature.status == GPG_ERR_NO_ERROR && signature.validity != GPGME_VALIDITY_NEVER &&
                    signature.validity_reason == GPG_ERR_NO_ERROR && !signature.wrong_key_usage;
  if (!good) refuse_signature_of(signature);
  return {std::move(outcome.content), fingerprint_of(signature)};
}

std::string Gpg::primary_fingerprint(const std::string& fingerprint) const {
  const auto context = make_context(directory_);
  const auto key = find_key(context.get(), fingerprint, false);
  if (key->fpr == nullptr) throw Error(Kind::denied, "the key " + fingerprint + " has no fingerprint");
  return key->fpr;
}

std::string Gpg::sign(std::string_view content, const std::string& key,
                      const std::optional<std::string>& passphrase) const {
  const auto context = make_context(directory_);
  const auto signer = find_key(context.get(), key, true);
  check_gpgme(gpgme_signers_add(context.get(), signer.get()));
  std::string secret = passphrase.value_or("");
  if (passphrase) {
    gpgme_set_passphrase_cb(context.get(), give_passphrase, &secret);
    check_gpgme(gpgme_set_pinentry_mode(context.get(), GPGME_PINENTRY_MODE_LOOPBACK));
  }
  const auto input = data_of(content);
  BoundedOutput output;
  const auto code = gpgme_op_sign(context.get(), input.get(), output.data(), GPGME_SIG_MODE_NORMAL);
  explicit_bzero(secret.data(), secret.size());
  check_gpgme(code, Kind::denied);
  return output.take();
}

Gpg::Unverified Gpg::read_unverified(std::string_view message) const {
  const auto context = make_context(directory_);
  auto outcome = verify_message(context.get(), message);
  if (outcome.count == 0) throw Error(Kind::invalid_input, "The input is not a signature");
  std::string id = fingerprint_of(*outcome.signature);
  if (id.size() > 16) id.erase(0, id.size() - 16);
  return {std::move(outcome.content), id};
}

}  // namespace lade::trust
