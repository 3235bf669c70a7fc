#include "copy/list_copier.hpp"

#include <algorithm>
#include <iterator>

#include "base/parallel.hpp"
#include "copy/image_copier.hpp"
#include "copy/manifest_types.hpp"
#include "copy/signatures.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

constexpr int max_index_depth = 4;
// Blob transfers have limits of their own; this bounds threads and manifests in flight.
constexpr std::size_t max_parallel_instances = 4;

bool matches(const spec::Platform& have, const spec::Platform& want) {
  return have.os == want.os && have.architecture == want.architecture &&
         (want.variant.empty() || have.variant == want.variant);
}

// Which instances are to be copied.
std::vector<bool> select(const spec::Index& index, const CopyOptions& options) {
  const auto& instances = index.instances();
  if (options.instances == CopyOptions::Instances::all) return std::vector<bool>(instances.size(), true);
  std::vector<bool> selected(instances.size(), false);
  if (options.instances == CopyOptions::Instances::index_only) return selected;
  for (const spec::Platform& want : options.platforms) {
    bool found = false;
    for (std::size_t i = 0; i < instances.size(); ++i) {
      if (!instances[i].platform || !matches(*instances[i].platform, want)) continue;
      selected[i] = found = true;
    }
    if (!found) throw Error(Kind::invalid_input, "no instances found for platform " + want.str());
  }
  return selected;
}

std::vector<spec::Descriptor> copy_instances(Session& session, const Context& context,
                                             const spec::Index& index, const std::vector<bool>& selected,
                                             int depth) {
  std::vector<spec::Descriptor> updated = index.instances();
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    if (selected[i]) chosen.push_back(i);
  }
  context.progress.step("Copying " + std::to_string(chosen.size()) + " images generated from " +
                        std::to_string(updated.size()) + " images in list");
  const std::size_t limit = session.destination.traits().parallel_blobs ? max_parallel_instances : 1;
  parallel_for(context, chosen.size(), limit, [&](const Context& inner, std::size_t n) {
    spec::Descriptor& instance = updated[chosen[n]];
    inner.progress.step("Copying image " + instance.digest.str() + " (" + std::to_string(n + 1) + "/" +
                        std::to_string(chosen.size()) + ")");
    const auto raw = in_context([&] { return "reading image " + instance.digest.str() + " from the source"; },
                                [&] { return session.source.manifest(inner, instance.digest); });
    if (!spec::is_list(raw.media_type)) check_policy(session, inner, raw);
    const spec::RawManifest written = spec::is_list(raw.media_type)
                                          ? copy_list(session, inner, raw, true, depth + 1)
                                          : copy_single(session, inner, raw, true);
    if (written.digest == instance.digest) return;
    instance.media_type = written.media_type;
    instance.digest = written.digest;
    instance.size = written.bytes.size();
  });
  return updated;
}

// What happens to the list itself. Decided before anything is copied, so that a refusal costs nothing.
struct ListPlan {
  std::string type;
  bool strip = false;  // of the instances that are not selected
};

void refuse_edit(const Session& session) {
  if (session.may_change()) return;
  throw Error(Kind::invalid_input,
              "Manifest list was edited, but we cannot modify it: \"" + session.unchangeable_reason + "\"");
}

ListPlan plan(const Session& session, const spec::RawManifest& list, const std::vector<bool>& selected) {
  const bool complete = std::find(selected.begin(), selected.end(), false) == selected.end();
  ListPlan result{list_type_for(session, list.media_type),
                  session.options.strip_removed_platforms && !complete};
  if (!result.strip) return result;
  refuse_edit(session);
  if (std::find(selected.begin(), selected.end(), true) == selected.end()) {
    throw Error(Kind::invalid_input,
                "requested operation filtered out all platforms and would create an empty image");
  }
  return result;
}

spec::RawManifest rewrite(const Session& session, const spec::RawManifest& list, spec::Index index,
                          const std::vector<spec::Descriptor>& updated, const std::vector<bool>& selected,
                          const ListPlan& plan) {
  const auto& type = plan.type;
  const bool edited = updated != index.instances() || plan.strip;
  if (!edited && type == list.media_type) return list;
  if (edited) refuse_edit(session);
  index = index.with_instances(updated);
  if (plan.strip) index = index.with_subset(selected);
  if (type != list.media_type) index = index.as_media_type(type);
  std::string bytes = index.serialize();
  const spec::Digest digest = io::digest_of(bytes, list.digest.algorithm());
  return {std::move(bytes), type, digest};
}

}  // namespace

spec::RawManifest copy_list(Session& session, const Context& context, const spec::RawManifest& list,
                            bool as_instance, int depth) {
  if (depth >= max_index_depth) throw Error(Kind::invalid_input, "image index nested too deeply");
  auto signatures = read_signatures(session, context, list);
  Session own = session;
  if (!signatures.empty() && own.may_change()) {
    own.unchangeable_reason =
        "Would invalidate signatures; --remove-list-signatures leaves those of the list behind";
  }
  const spec::Index index = spec::Index::parse(list.bytes, list.media_type);
  const std::vector<bool> selected = select(index, session.options);
  if (std::ranges::find(selected, true) == selected.end()) check_policy(session, context, list);
  const ListPlan list_plan = plan(own, list, selected);
  // Its instances may change, but then the list would.
  const auto updated = copy_instances(session, context, index, selected, depth);
  const spec::RawManifest result = rewrite(own, list, index, updated, selected, list_plan);

  context.progress.step("Writing manifest list to image destination");
  in_context("writing the manifest list to the destination",
             [&] { session.destination.put_manifest(context, result, name_of(result, as_instance)); });
  session.shared.written.lock()->push_back({list.digest, result.digest});
  std::ranges::move(create_signatures(session, context, result), std::back_inserter(signatures));
  context.progress.step("Storing list signatures");
  if (!signatures.empty()) write_signatures(own, context, signatures, name_of(result, as_instance));
  return result;
}

}  // namespace lade::copy
