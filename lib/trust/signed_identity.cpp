#include "trust/signed_identity.hpp"

#include "base/error.hpp"

namespace lade::trust {

namespace {

using spec::Reference;

std::optional<Reference> try_reference(std::string_view text) {
  try {
    return Reference::parse(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_same_exactly(const Reference& image, const Reference& signed_as) {
  return !image.is_name_only() && !signed_as.is_name_only() && image == signed_as;
}

// An image named by its digest is known to have it; by a tag, the tag must be the signed one: otherwise an
// old image could be given the new one's place.
bool is_same_repository_or_exactly(const Reference& image, const Reference& signed_as) {
  if (image.is_name_only() || signed_as.is_name_only()) return false;
  if (!image.tag()) return image.name() == signed_as.name();
  const bool signed_by_tag = !signed_as.digest() && signed_as.tag() == image.tag();
  return image == signed_as || (image.digest() && signed_by_tag && image.name() == signed_as.name());
}

// The image's name with the rule's prefix replaced, where it has that; nullopt if no name comes out.
std::optional<Reference> remapped(const config::SignedIdentity& rule, const Reference& image) {
  const std::string name = image.name();
  const bool matches =
      name.starts_with(rule.prefix) && (name.size() == rule.prefix.size() || name[rule.prefix.size()] == '/');
  if (!matches) return image;
  const std::string text = rule.signed_prefix + image.str().substr(rule.prefix.size());
  auto result = try_reference(text);
  if (result && result->str() != text) return std::nullopt;  // nothing may be filled in
  return result;
}

}  // namespace

bool is_accepted_identity(const config::SignedIdentity& rule, const std::optional<Reference>& image,
                          std::string_view signed_reference) {
  using Type = config::SignedIdentity::Type;
  const auto signed_as = try_reference(signed_reference);
  if (!signed_as) return false;
  if (rule.type == Type::exact_reference)
    return is_same_exactly(Reference::parse(rule.docker_reference), *signed_as);
  if (rule.type == Type::exact_repository)
    return Reference::parse(rule.docker_repository).name() == signed_as->name();
  if (!image) return false;
  switch (rule.type) {
    case Type::match_exact: return is_same_exactly(*image, *signed_as);
    case Type::match_repo_digest_or_exact: return is_same_repository_or_exactly(*image, *signed_as);
    case Type::match_repository: return image->name() == signed_as->name();
    case Type::remap_identity: {
      const auto other = remapped(rule, *image);
      return other && is_same_repository_or_exactly(*other, *signed_as);
    }
    case Type::exact_reference:
    case Type::exact_repository: break;
  }
  return false;
}

}  // namespace lade::trust
