#include "base/error.hpp"
#include "trust/gpg.hpp"

namespace lade::trust {

namespace {

[[noreturn]] void refuse_without_gpgme() {
  throw Error(Kind::unsupported, "signing is not supported: lade was built without gpgme");
}

}  // namespace

Gpg Gpg::of_user() {
  refuse_without_gpgme();
}

Gpg Gpg::with_keys(const std::vector<std::string>&, const std::filesystem::path&) {
  refuse_without_gpgme();
}

Gpg::Verified Gpg::verify(std::string_view) const {
  refuse_without_gpgme();
}

std::string Gpg::primary_fingerprint(const std::string&) const {
  refuse_without_gpgme();
}

std::string Gpg::sign(std::string_view, const std::string&, const std::optional<std::string>&) const {
  refuse_without_gpgme();
}

Gpg::Unverified Gpg::read_unverified(std::string_view) const {
  refuse_without_gpgme();
}

}  // namespace lade::trust
