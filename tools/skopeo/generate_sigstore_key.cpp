#include <fmt/format.h>

#include "os/file.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/signing_options.hpp"
#include "spec/json.hpp"
#include "trust/cosign_key.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> generate_sigstore_key_options() {
  return {{.name = "output-prefix",
           .kind = ValueKind::text,
           .value_name = "PREFIX",
           .help = "Write the keys to PREFIX.pub and PREFIX.private"},
          {.name = "passphrase-file",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "Read a passphrase for the private key from PATH"}};
}

// Never in place of a file that is there: it may be somebody's only key.
os::UniqueFd create_key_file(const std::string& path, mode_t mode) {
  try {
    return os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  } catch (const Error& error) {
    if (error.kind() != Kind::already_exists) throw;
    throw Error(Kind::already_exists, "Refusing to overwrite existing " + spec::dump_json(path));
  }
}

void refuse_existing(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found)
    throw Error(Kind::already_exists, "Refusing to overwrite existing " + spec::dump_json(path));
}

int run_generate_sigstore_key(Invocation& invocation) {
  const std::string prefix = invocation.flags.text("output-prefix");
  if (!invocation.arguments.empty() || prefix.empty())
    invocation.refuse_usage("Usage: generate-sigstore-key --output-prefix PREFIX");
  const std::string public_path = prefix + ".pub", private_path = prefix + ".private";
  refuse_existing(public_path);
  refuse_existing(private_path);
  const auto given = read_passphrase_file(invocation, invocation.flags.text("passphrase-file"));
  const std::string passphrase = given ? *given : prompt_for_passphrase(invocation, private_path);
  const auto key = trust::PrivateKey::generate();
  const std::string private_text = trust::encrypt_cosign_key(key, passphrase),
                    public_text = key.public_key().pem();
  os::write_all(create_key_file(private_path, 0600), io::as_bytes(private_text));
  os::write_all(create_key_file(public_path, 0644), io::as_bytes(public_text));
  invocation.out.line(
      fmt::format("Key written to {} and {}", spec::dump_json(private_path), spec::dump_json(public_path)));
  return 0;
}

}  // namespace

const common::Command generate_sigstore_key_command{
    .name = "generate-sigstore-key",
    .summary = "Generate a sigstore public/private key pair",
    .description = "Generate a sigstore public/private key pair",
    .synopsis = "[command options] --output-prefix PREFIX",
    .example = "generate-sigstore-key --output-prefix my-key",
    .options = generate_sigstore_key_options,
    .run = run_generate_sigstore_key};

}  // namespace lade::skopeo
