#include "transport/containers_storage/signatures.hpp"

#include "base/error.hpp"
#include "spec/json.hpp"

namespace lade::transport::containers_storage {

namespace {

std::vector<std::uint64_t> parse_sizes(const spec::Json& value) {
  std::vector<std::uint64_t> result;
  if (!value.is_array()) return result;
  for (const auto& size : value)
    if (size.is_number_unsigned()) result.push_back(size.get<std::uint64_t>());
  return result;
}

}  // namespace

SignatureSizes SignatureSizes::parse(std::string_view metadata) {
  SignatureSizes result;
  const auto document = spec::try_parse_json(metadata);
  if (!document || !document->is_object()) return result;
  if (const auto* sizes = spec::find_member(*document, "signature-sizes"))
    result.of_image = parse_sizes(*sizes);
  const auto* manifests = spec::find_member(*document, "signatures-sizes");
  if (manifests == nullptr || !manifests->is_object()) return result;
  for (const auto& [digest, sizes] : manifests->get_ref<const spec::Json::object_t&>())
    result.of_manifests.insert_or_assign(digest, parse_sizes(sizes));
  return result;
}

std::string SignatureSizes::serialize() const {
  spec::Json document = spec::Json::object();
  if (!of_image.empty()) document["signature-sizes"] = of_image;
  for (const auto& [digest, sizes] : of_manifests) document["signatures-sizes"][digest] = sizes;
  return spec::dump_json(document);
}

std::string signature_key(const std::optional<spec::Digest>& manifest) {
  return manifest ? "signature-" + manifest->hex() : "signatures";
}

std::string joined_signatures(const std::vector<std::string>& signatures) {
  std::string result;
  for (const auto& signature : signatures) result += signature;
  return result;
}

std::vector<std::uint64_t> sizes_of(const std::vector<std::string>& signatures) {
  std::vector<std::uint64_t> result;
  for (const auto& signature : signatures) result.push_back(signature.size());
  return result;
}

std::vector<std::string> split_signatures(const std::string& joined,
                                          const std::vector<std::uint64_t>& sizes) {
  std::vector<std::string> result;
  std::size_t offset = 0;
  for (const auto size : sizes) {
    if (size > joined.size() - offset) throw Error(Kind::integrity, "signatures are shorter than recorded");
    result.push_back(joined.substr(offset, size));
    offset += size;
  }
  if (offset != joined.size()) throw Error(Kind::integrity, "signatures are longer than recorded");
  return result;
}

}  // namespace lade::transport::containers_storage
