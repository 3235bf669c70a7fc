#include "transport/containers_storage/name.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "store/ids.hpp"

namespace lade::transport::containers_storage {

namespace {

// Shorter texts are names, never beginnings of IDs.
constexpr std::size_t shortest_id = 3;

std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::filesystem::path absolute_place(std::string_view text) {
  std::filesystem::path path(text);
  if (!text.empty() && !path.is_absolute()) throw Error(Kind::invalid_input, "path name is not absolute");
  return path.lexically_normal();
}

// "driver@root+runroot:options"
config::StoreOverrides parse_place(std::string_view text) {
  config::StoreOverrides place;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    place.driver = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (place.driver.empty() || text.empty())
      throw Error(Kind::invalid_input,
                  "invalid store specification: driver and root must not be empty around \"@\"");
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    place.driver_options = split_options(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  const auto plus = std::min(text.find('+'), text.size());
  place.graph_root = absolute_place(text.substr(0, plus));
  place.run_root = absolute_place(text.substr(std::min(plus + 1, text.size())));
  return place;
}

std::string place_text(const config::StoreOverrides& place) {
  std::string result = "[";
  if (!place.driver.empty()) result.append(place.driver).append("@");
  result += place.graph_root.string();
  if (!place.run_root.empty()) result.append("+").append(place.run_root.string());
  if (place.driver_options) {
    for (std::size_t i = 0; i < place.driver_options->size(); ++i)
      result.append(i == 0 ? ":" : ",").append((*place.driver_options)[i]);
  }
  return result + "]";
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What follows the last '@' is an ID unless it is a digest.
void parse_id(std::string_view& text, Name& name) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return;
  const auto id = text.substr(at + 1);
  if (id.empty())
    throw Error(Kind::invalid_input,
                "empty trailing digest or ID in \"" + std::string(text) + "\": invalid reference");
  if (id.find(':') != std::string_view::npos && spec::Digest::try_parse(id)) return;
  if (id.size() < shortest_id || id.size() > 64 || !is_hex(id))
    throw Error(Kind::invalid_input,
                "\"" + std::string(id) + "\" does not look like an image ID or digest: invalid reference");
  name.id = id;
  text = text.substr(0, at);
}

bool is_of_repository(const store::ImageRecord& image, const spec::Reference& reference) {
  return std::ranges::any_of(image.names, [&](const std::string& name) {
    try {
      return spec::Reference::parse(name).name() == reference.name();
    } catch (const Error&) {
      return false;
    }
  });
}

std::optional<store::ImageRecord> find_by_id(const Context& context, const store::Store& store,
                                             const std::string& beginning) {
  if (beginning.size() < shortest_id) return std::nullopt;
  auto image = store.find_image(context, beginning);
  return image && image->id.starts_with(beginning) ? image : std::nullopt;
}

std::optional<store::ImageRecord> find_by_reference(const Context& context, const store::Store& store,
                                                    const spec::Reference& reference) {
  if (auto image = store.find_image(context, reference.str())) return image;
  if (!reference.digest()) return std::nullopt;
  for (auto& image : store.images_with_digest(context, *reference.digest()))
    if (is_of_repository(image, reference)) return std::move(image);
  return std::nullopt;
}

}  // namespace

Name Name::parse(std::string_view text) {
  Name name;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      throw Error(Kind::invalid_input,
                  "closing bracket missing in \"" + std::string(text) + "\": invalid reference");
    name.place = parse_place(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
  }
  if (text.empty()) throw Error(Kind::invalid_input, "image name is empty: invalid reference");
  parse_id(text, name);
  if (text.empty()) return name;
  if (name.id.empty() && store::is_id(text)) {
    name.id = text;
    return name;
  }
  name.reference = in_context([&] { return "parsing named reference \"" + std::string(text) + "\""; },
                              [&] { return spec::Reference::parse(text).with_default_tag(); });
  const bool maybe_id = name.id.empty() && text.size() >= shortest_id && is_hex(text);
  if (maybe_id) name.id_or_name = text;
  return name;
}

std::string Name::str() const {
  std::string result = place ? place_text(*place) : "";
  if (!id_or_name.empty()) return result + id_or_name;
  if (reference) result += reference->str();
  if (!id.empty()) result.append("@").append(id);
  return result;
}

config::StoreOptions store_options(const Name& name, const Options& options) {
  if (!name.place && options.store) return *options.store;
  return config::load_store_options(config::Environment::of_process(),
                                    name.place.value_or(config::StoreOverrides()));
}

std::optional<store::ImageRecord> find(const Context& context, const store::Store& store, const Name& name) {
  if (!name.id_or_name.empty())
    if (auto image = find_by_id(context, store, name.id_or_name)) return image;
  if (name.id.empty()) return find_by_reference(context, store, name.reference.value());
  auto image = find_by_id(context, store, name.id);
  if (image && name.reference && !is_of_repository(*image, *name.reference)) return std::nullopt;
  return image;
}

store::ImageRecord resolve(const Context& context, const store::Store& store, const Name& name) {
  if (auto image = find(context, store, name)) return *std::move(image);
  Name full = name;
  full.place.reset();
  throw Error(Kind::image_not_found,
              "reference \"" + store.specification() + full.str() + "\" does not resolve to an image ID");
}

}  // namespace lade::transport::containers_storage
