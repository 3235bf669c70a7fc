#include "spec/reference.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::spec {

namespace {

constexpr std::string_view docker_domain = "docker.io";
constexpr std::size_t max_name_length = 255;
constexpr std::size_t max_tag_length = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}
bool is_alphanumeric(char c) {
  return is_name_char(c) || is_upper(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool is_any_hex(char c) {
  return is_hex(c) || (c >= 'A' && c <= 'F');
}

template <class Fn>
bool all_of(std::string_view text, Fn&& fn) {
  return std::all_of(text.begin(), text.end(), fn);
}

// Calls fn with each part between separators until one is refused.
template <class Fn>
bool all_parts(std::string_view text, char separator, Fn&& fn) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!fn(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

// One period, one or two underscores, or any number of dashes.
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" || all_of(text, [](char c) { return c == '-'; });
}

bool is_path_component(std::string_view text) {
  if (text.empty() || !is_name_char(text.front()) || !is_name_char(text.back())) return false;
  while (!text.empty()) {
    const auto word_end = std::find_if_not(text.begin(), text.end(), is_name_char);
    const auto separator_end = std::find_if(word_end, text.end(), is_name_char);
    if (!is_separator({word_end, separator_end})) return false;
    text.remove_prefix(static_cast<std::size_t>(separator_end - text.begin()));
  }
  return true;
}

bool is_path(std::string_view text) {
  return all_parts(text, '/', is_path_component);
}

bool is_domain_component(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_ipv6(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         all_of(host.substr(1, host.size() - 2), [](char c) { return is_any_hex(c) || c == ':'; });
}

bool is_domain(std::string_view text) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !all_of(port, is_digit)) return false;
    host = text.substr(0, colon);
  }
  return is_ipv6(host) || all_parts(host, '.', is_domain_component);
}

// What the grammar of references asks of a digest; Digest::parse asks more, and says more.
bool has_digest_shape(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view hex = text.substr(colon + 1);
  return hex.size() >= 32 && all_of(hex, is_any_hex);
}

[[noreturn]] void refuse(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

struct Split {
  std::string domain, remainder;
};

// The first component is a domain only if it looks like one; otherwise it is part of a name at docker.io.
Split split_domain(std::string_view text) {
  Split split;
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  if (slash == std::string_view::npos ||
      (first.find_first_of(".:") == std::string_view::npos && first != "localhost")) {
    split = {std::string(docker_domain), std::string(text)};
  } else {
    split = {std::string(first), std::string(text.substr(slash + 1))};
  }
  if (split.domain == "index.docker.io") split.domain = docker_domain;
  if (split.domain == docker_domain && split.remainder.find('/') == std::string::npos)
    split.remainder = "library/" + split.remainder;
  return split;
}

}  // namespace

bool is_valid_tag(std::string_view tag) {
  const auto is_word_char = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return !tag.empty() && tag.size() <= max_tag_length && is_word_char(tag.front()) &&
         all_of(tag, [&](char c) { return is_word_char(c) || c == '.' || c == '-'; });
}

Reference Reference::parse(std::string_view text) {
  if (text.size() == 64 && all_of(text, is_hex))
    refuse("invalid repository name (" + std::string(text) + "), cannot specify 64-byte hexadecimal strings");
  const auto [domain, remainder] = split_domain(text);
  std::string_view rest = remainder;

  std::optional<std::string_view> digest, tag;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (std::any_of(rest.begin(), rest.end(), is_upper))
    refuse("invalid reference format: repository name must be lowercase");
  if (!is_domain(domain) || !is_path(rest) || (tag && !is_valid_tag(*tag)) ||
      (digest && !has_digest_shape(*digest)))
    refuse("invalid reference format");
  if (domain.size() + 1 + rest.size() > max_name_length)
    refuse("repository name must not be more than " + std::to_string(max_name_length) + " characters");

  Reference reference;
  reference.domain_ = domain;
  reference.path_ = rest;
  if (tag) reference.tag_ = std::string(*tag);
  if (digest) reference.digest_ = Digest::parse(*digest);
  return reference;
}

std::string Reference::str() const {
  std::string text = name();
  if (tag_) text += ":" + *tag_;
  if (digest_) text += "@" + digest_->str();
  return text;
}

std::string Reference::familiar() const {
  std::string text = str();
  constexpr std::string_view official = "library/";
  // The domain stays where the path alone would be taken for one ("docker.io/my.team/app").
  if (domain_ != docker_domain || split_domain(path_).domain != docker_domain) return text;
  text.erase(0, domain_.size() + 1);
  if (path_.starts_with(official) && path_.find('/', official.size()) == std::string::npos)
    text.erase(0, official.size());
  return text;
}

Reference Reference::without_tag_or_digest() const {
  Reference copy = *this;
  copy.tag_.reset();
  copy.digest_.reset();
  return copy;
}

Reference Reference::with_tag(std::string_view tag) const {
  if (!is_valid_tag(tag)) refuse("invalid tag format");
  Reference copy = *this;
  copy.tag_ = std::string(tag);
  return copy;
}

Reference Reference::with_digest(const Digest& digest) const {
  Reference copy = without_tag_or_digest();
  copy.digest_ = digest;
  return copy;
}

Reference Reference::with_default_tag() const {
  return is_name_only() ? with_tag("latest") : *this;
}

}  // namespace lade::spec
