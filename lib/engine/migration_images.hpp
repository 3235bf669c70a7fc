// The images that are migrated, and how each is found, copied, verified and removed. Internal to engine/.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/migrate.hpp"
#include "spec/digest.hpp"
#include "store/store.hpp"
#include "transport/transport.hpp"

namespace lade::engine {

struct MigratingImage {
  std::string id;                            // 64 hex digits
  std::vector<std::string> names;            // full references; of a layout, the names in its index
  std::string repository;                    // that a name means which is a tag only; "" for none
  std::string source;                        // "docker-daemon:...", the whole name
  std::optional<spec::Digest> config;        // nullopt for a list
  std::optional<store::ImageRecord> record;  // of a store
  std::set<spec::Digest> layers;             // uncompressed, of a store
};

// Of the place itself, in its order; those of additional stores are not.
std::vector<MigratingImage> list_images(const Context& context, const MigrationPlace& place);

enum class Presence { absent, partial, whole };
Presence presence_of(const Context& context, const MigrationPlace& to, const MigratingImage& image);

// Names under which an image goes to the destination: those that the kind of place can have. Empty: it cannot
// go.
std::vector<std::string> names_at(const MigrationPlace& to, const MigratingImage& image);

// From one store into another: layers as they are, all documents, names and signatures.
void copy_between_stores(const Context& context, const store::Store& from, store::Store& to,
                         const MigratingImage& image, std::size_t jobs);
// Between other places, as `copy` does it.
void copy_by_transports(const Context& context, const trust::PolicyContext& policy,
                        const MigrationPlace& from, const MigrationPlace& to, const MigratingImage& image,
                        std::size_t jobs);

// Reads all of the image at the destination. Kind::integrity and others if it is not what it should be.
void verify_at(const Context& context, const MigrationPlace& to, const MigratingImage& image);

// From the source. "" or why it stays.
std::string remove_migrated(const Context& context, const MigrationPlace& from, const MigratingImage& image);

}  // namespace lade::engine
