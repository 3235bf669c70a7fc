#include "engine/image_filters.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"

namespace lade::engine {
namespace {

using store::ImageRecord;

[[noreturn]] void refuse_filter(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

[[noreturn]] void refuse_form(const std::string& filter) {
  refuse_filter(fmt::format(
      "invalid image filter \"{}\": must be in the format \"filter=value or filter!=value\"", filter));
}

bool filter_boolean(const std::string& key, const std::string& value) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"})
    if (value == yes) return true;
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"})
    if (value == no) return false;
  refuse_filter(
      fmt::format("non-boolean value \"{}\" for {} filter: strconv.ParseBool: parsing \"{}\": invalid syntax",
                  key, value, value));
}

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PATHNAME) == 0;
}

// A pattern may be for the whole name, for the name without its registry, or for its last part; each with
// and without the tag.
bool name_matches(const std::string& pattern, const std::string& name) {
  const NameParts parts = split_name(name);
  const std::string suffix = name.substr(parts.repository.size());
  const std::string path = parts.repository.substr(parts.repository.find('/') + 1);
  const std::string last = parts.repository.substr(parts.repository.rfind('/') + 1);
  for (const std::string& stem : {parts.repository, path, last})
    if (matches(pattern, stem) || matches(pattern, stem + suffix)) return true;
  return false;
}

ImageFilter reference_filter(const LocalImages& images, const std::string& value) {
  std::string looked_up;
  try {
    if (const auto found = images.find(value)) looked_up = found->image->id;
  } catch (const Error&) {
    // A pattern is no name.
  }
  return [value, looked_up](const ImageRecord& image) {
    return image.id == looked_up ||
           std::any_of(image.names.begin(), image.names.end(),
                       [&](const std::string& name) { return name_matches(value, name); });
  };
}

ImageFilter label_filter(const LocalImages& images, const std::string& value) {
  const std::size_t equals = value.find('=');
  const std::string key = value.substr(0, equals);
  std::optional<std::string> wanted;
  if (equals != std::string::npos && equals + 1 < value.size()) wanted = value.substr(equals + 1);
  return [&images, key, wanted](const ImageRecord& image) {
    const auto labels = images.labels(image);
    for (const auto& [name, text] : labels)
      if (matches(key, name) && (!wanted || text == *wanted)) return true;
    return false;
  };
}

ImageFilter age_filter(const LocalImages& images, const std::string& key, const std::string& value) {
  const auto found = [&] {
    try {
      return images.get(value);
    } catch (const Error& error) {
      refuse_filter(fmt::format("could not find local image for filter \"{}\"=\"{}\": {}", key, value,
                                error.what()));
    }
  }();
  const Instant limit = images.created(*found.image);
  if (key == "before")
    return [&images, limit](const ImageRecord& image) { return images.created(image) < limit; };
  return [&images, limit](const ImageRecord& image) { return images.created(image) > limit; };
}

ImageFilter container_filter(const LocalImages& images, const std::string& value) {
  if (value == "external") {
    return [&images](const ImageRecord& image) {
      const auto ids = images.containers_of(image);
      return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
        return is_working_container(images.store(), id);
      });
    };
  }
  if (value != "true" && value != "false")
    refuse_filter(fmt::format("unsupported value \"{}\" for containers filter", value));
  const bool wanted = value == "true";
  return
      [&images, wanted](const ImageRecord& image) { return !images.containers_of(image).empty() == wanted; };
}

ImageFilter digest_filter(const std::string& value) {
  if (!value.starts_with("sha256:"))
    refuse_filter(fmt::format("invalid value \"{}\" for digest filter", value));
  return [beginning = value](const ImageRecord& image) {
    const auto digests = image.digests();
    return image.digest.starts_with(beginning) ||
           std::any_of(digests.begin(), digests.end(),
                       [&](const auto& digest) { return digest.str().starts_with(beginning); });
  };
}

ImageFilter one_filter(const LocalImages& images, const std::string& key, const std::string& value) {
  if (key == "reference") return reference_filter(images, value);
  if (key == "label") return label_filter(images, value);
  if (key == "before" || key == "since" || key == "after") return age_filter(images, key, value);
  if (key == "containers") return container_filter(images, value);
  if (key == "digest") return digest_filter(value);
  if (key == "id") return [value](const ImageRecord& image) { return image.id.starts_with(value); };
  if (key == "until") {
    const Instant limit = parse_until(value, images.context().clock.now());
    return [&images, limit](const ImageRecord& image) { return images.created(image) < limit; };
  }
  const bool known = key == "dangling" || key == "intermediate" || key == "readonly" || key == "manifest";
  if (!known) refuse_form(key);
  const bool wanted = filter_boolean(key, value);
  if (key == "dangling")
    return [&images, wanted](const ImageRecord& image) { return images.is_dangling(image) == wanted; };
  if (key == "readonly")
    return [&images, wanted](const ImageRecord& image) { return images.is_read_only(image) == wanted; };
  if (key == "manifest")
    return [&images, wanted](const ImageRecord& image) { return images.is_list(image) == wanted; };
  return [&images, wanted](const ImageRecord& image) { return images.is_intermediate(image) == wanted; };
}

}  // namespace

namespace {

struct FilterParts {
  std::string key, value;
  bool negated = false;
};

FilterParts split_filter(const std::string& filter) {
  const std::size_t equals = filter.find('=');
  if (equals == std::string::npos) refuse_form(filter);
  const bool negated = equals > 0 && filter[equals - 1] == '!';
  return {filter.substr(0, negated ? equals - 1 : equals), filter.substr(equals + 1), negated};
}

}  // namespace

ImageFilter compile_image_filters(const LocalImages& images, const std::vector<std::string>& filters) {
  std::vector<ImageFilter> all, references;
  std::map<std::string, std::string> single;
  for (const std::string& filter : filters) {
    const auto [key, value, negated] = split_filter(filter);
    if (key == "dangling" || key == "intermediate" || key == "readonly" || key == "manifest" ||
        key == "containers") {
      const auto [before, is_new] = single.emplace(key, value);
      if (!is_new && before->second != value)
        refuse_filter(fmt::format(
            "specifying \"{}\" filter more than once with different values is not supported", key));
    }
    ImageFilter compiled = one_filter(images, key, value);
    if (negated) compiled = [compiled](const ImageRecord& image) { return !compiled(image); };
    (key == "reference" && !negated ? references : all).push_back(std::move(compiled));
  }
  return [all, references](const ImageRecord& image) {
    const auto passes = [&](const ImageFilter& filter) { return filter(image); };
    return std::all_of(all.begin(), all.end(), passes) &&
           (references.empty() || std::any_of(references.begin(), references.end(), passes));
  };
}

std::vector<std::string> names_asked_for(const ImageRecord& image, const std::vector<std::string>& filters) {
  std::optional<std::string> only;
  for (const std::string& filter : filters) {
    const auto [key, value, negated] = split_filter(filter);
    if (key != "reference") continue;
    if (only || negated) return image.names;
    only = value;
  }
  if (!only) return image.names;
  std::optional<spec::Reference> asked;
  try {
    asked = spec::Reference::parse(*only);
  } catch (const Error&) {
    return image.names;  // a pattern
  }
  if (asked->is_name_only() || asked->str() != *only) return image.names;
  std::vector<std::string> names;
  for (const std::string& name : image.names) {
    const bool meant = asked->digest() ? split_name(name).repository == asked->name() : name == *only;
    if (meant) names.push_back(name);
  }
  return names;
}

}  // namespace lade::engine
