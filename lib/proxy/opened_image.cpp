#include "proxy/opened_image.hpp"

#include "image/convert.hpp"
#include "io/readers.hpp"
#include "spec/media_type.hpp"

namespace lade::proxy {

namespace {

using spec::Json;

Json layer_json(const spec::Digest& digest, const Json& size, const std::string& media_type) {
  return {{"digest", digest.str()}, {"size", size}, {"media_type", media_type}};
}

std::vector<std::string> read_proxy_signatures(const Context& context, transport::ImageSource& source) {
  auto* signatures = source.signature_source();
  return signatures == nullptr ? std::vector<std::string>() : signatures->signatures(context, std::nullopt);
}

}  // namespace

OpenedImage::OpenedImage(const Context& context, std::shared_ptr<const transport::ImageReference> reference,
                         const transport::Options& options)
    : reference_(std::move(reference)),
      source_(reference_->open_source(context, options)),
      top_(source_->manifest(context, std::nullopt)) {}

void OpenedImage::check(const Context& context, const trust::PolicyContext& policy) {
  trust::UnparsedImage image(*reference_, top_, [&] { return read_proxy_signatures(context, *source_); });
  policy.check(image);
}

image::Image& OpenedImage::chosen(const Context& context, const spec::PlatformChoice& platform) {
  if (!image_)
    image_ =
        std::make_unique<image::Image>(*source_, image::choose_instance(context, *source_, top_, platform));
  return *image_;
}

std::pair<spec::Digest, std::string> OpenedImage::oci_manifest(const Context& context,
                                                               const spec::PlatformChoice& platform) {
  image::Image& image = chosen(context, platform);
  const spec::RawManifest& raw = image.raw();
  if (image.manifest() == nullptr)
    throw Error(Kind::unsupported, "unsupported legacy manifest MIME type: " + raw.media_type);
  if (raw.media_type == spec::media_type::oci_manifest) return {raw.digest, raw.bytes};
  auto converted =
      image::convert(*image.manifest(), image.config_bytes(context), spec::media_type::oci_manifest);
  return {raw.digest, std::move(converted.manifest.bytes)};
}

Json OpenedImage::config(const Context& context, const spec::PlatformChoice& platform) {
  image::Image& image = chosen(context, platform);
  return image.config(context).oci_document();
}

Json OpenedImage::layers(const Context& context, const spec::PlatformChoice& platform) {
  image::Image& image = chosen(context, platform);
  Json list = Json::array();
  const auto stored =
      image.manifest() == nullptr ? std::nullopt : source_->stored_layers(context, *image.manifest());
  if (stored) {
    for (const spec::Descriptor& layer : *stored)
      list.push_back(layer_json(layer.digest, layer.size, layer.media_type));
    return list;
  }
  for (const auto& layer : image.layers())
    list.push_back(layer_json(layer.digest, layer.size ? Json(*layer.size) : Json(-1), layer.media_type));
  return list;
}

OpenedImage::BlobJob OpenedImage::blob(const Context& context, const spec::Digest& digest,
                                       std::optional<std::uint64_t> size) {
  spec::Descriptor descriptor{"", digest, size.value_or(0), {}, {}, {}, "", ""};
  transport::Blob opened = source_->blob(context, descriptor);
  const std::int64_t told = opened.size ? static_cast<std::int64_t>(*opened.size) : -1;
  std::shared_ptr<io::Reader> reader(std::move(opened.reader));
  // The source is the last to be given up.
  return {told,
          [source = source_, reader = std::move(reader), digest, size](const Context&, io::Writer& out) {
            if (!size) {
              io::copy(*reader, out);
              return;
            }
            io::VerifyingReader verified(*reader, digest, size);
            io::copy(verified, out);
          }};
}

}  // namespace lade::proxy
