// Media types of manifests, configs and layers: Docker schema 1 and 2, and OCI.
#pragma once

#include <string>
#include <string_view>

namespace lade::spec {

namespace media_type {
inline constexpr std::string_view docker_manifest_v1 = "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view docker_manifest_v1_signed =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer_tar = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view docker_layer_gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view docker_layer_zstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
inline constexpr std::string_view docker_foreign_layer_tar =
    "application/vnd.docker.image.rootfs.foreign.diff.tar";
inline constexpr std::string_view docker_foreign_layer_gzip =
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_empty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view oci_layer_tar = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view oci_nondistributable_tar =
    "application/vnd.oci.image.layer.nondistributable.v1.tar";
inline constexpr std::string_view oci_nondistributable_gzip =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
inline constexpr std::string_view oci_nondistributable_zstd =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
}  // namespace media_type

bool is_list(std::string_view media_type);             // Docker list or OCI index
bool is_schema1(std::string_view media_type);          // signed or not
bool is_manifest(std::string_view media_type);         // any single-image manifest type, schema 1 too
bool is_layer(std::string_view media_type);            // any layer type above, encrypted ones too
bool is_foreign_layer(std::string_view media_type);    // Docker foreign and OCI nondistributable
bool is_encrypted_layer(std::string_view media_type);  // "+encrypted"

// The Content-Type of a manifest response without parameters; "" and "application/json" mean schema 1 signed.
std::string normalize_manifest_type(std::string_view content_type);

// The type of manifest bytes that come without one (dir:, oci:): the rules of containers/image's
// GuessMIMEType. "" if it is none of the known.
std::string guess_manifest_type(std::string_view manifest);

}  // namespace lade::spec
