#include "transport/signature_format.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "spec/json.hpp"

namespace lade::transport {

namespace {

[[noreturn]] void refuse_signature(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

// RFC 9580, 4.2: the tag of a packet is in its first byte, at another place in the older format.
bool starts_openpgp_message(unsigned char first) {
  constexpr unsigned signature = 2, one_pass_signature = 4, compressed_data = 8;
  if ((first & 0x80) == 0) return false;
  const unsigned tag = (first & 0x40) != 0 ? first & 0x3fu : (first & 0x3cu) >> 2;
  return tag == signature || tag == one_pass_signature || tag == compressed_data;
}

constexpr std::string_view sigstore_head{"\0sigstore-json\n", 15};
constexpr std::string_view simple_head{"\0simple-signing\n", 16};
// Base64 in JSON takes a third more.
constexpr std::size_t max_sigstore_json = 2 * max_signature_size;

bool is_printable_ascii(char c) {
  return c >= ' ' && c <= '~';
}

}  // namespace

void check_signature_format(std::string_view signature) {
  if (signature.empty()) refuse_signature("empty signature blob");
  const auto first = static_cast<unsigned char>(signature.front());
  if (starts_openpgp_message(first)) return;
  if (first != 0) {
    refuse_signature(fmt::format("unrecognized signature format, starting with binary {:#x}", first));
  }
  const auto end = signature.find('\n');
  if (end == std::string_view::npos) refuse_signature("invalid signature format, missing newline");
  const auto format = signature.substr(1, end - 1);
  if (format == "simple-signing" || format == "sigstore-json") return;
  if (!std::all_of(format.begin(), format.end(), is_printable_ascii)) {
    refuse_signature("invalid signature format, its name is not ASCII");
  }
  refuse_signature("unrecognized signature format " + spec::dump_json(std::string(format)));
}

std::string_view simple_signing_message(std::string_view signature) {
  return signature.starts_with(simple_head) ? signature.substr(simple_head.size()) : signature;
}

bool is_sigstore_signature(std::string_view signature) {
  return signature.starts_with(sigstore_head);
}

SigstoreSignature parse_sigstore_signature(std::string_view signature) {
  constexpr std::string_view what = "sigstore signature";
  if (!is_sigstore_signature(signature)) refuse_signature("not a sigstore signature");
  const auto document = spec::parse_json(signature.substr(sigstore_head.size()), what, max_sigstore_json);
  if (!document.is_object()) refuse_signature("sigstore signature: not an object");
  auto payload = config::base64_decode(spec::string_member(document, "payload", what));
  if (!payload) refuse_signature("sigstore signature: payload is not base64");
  return {spec::string_member(document, "mimeType", what), *std::move(payload),
          spec::string_map_member(document, "annotations", what).value_or(spec::Annotations())};
}

std::string serialize(const SigstoreSignature& signature) {
  spec::Json document = {{"mimeType", signature.media_type},
                         {"payload", config::base64_encode(signature.payload)},
                         {"annotations", signature.annotations}};
  return std::string(sigstore_head) + spec::dump_json(document);
}

}  // namespace lade::transport
