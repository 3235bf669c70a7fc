#include "copy/blob_copier.hpp"

#include "base/parallel.hpp"
#include "copy/blob_reuse.hpp"
#include "copy/encryption.hpp"
#include "copy/partial.hpp"
#include "copy/spool.hpp"
#include "crypt/layer_options.hpp"
#include "io/readers.hpp"
#include "layer/chunked_compressor.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

using io::Compression;
using Layers = transport::DestinationTraits::Layers;

// Blames the source for what goes wrong while reading from it, whoever pulls.
class SourceReader final : public io::Reader {
 public:
  SourceReader(io::Reader& inner, bool& failed) : inner_(inner), failed_(failed) {}
  std::size_t read(io::Buffer buffer) override {
    try {
      return in_context("reading from the source", [&] { return inner_.read(buffer); });
    } catch (...) {
      failed_ = true;
      throw;
    }
  }

 private:
  io::Reader& inner_;
  bool& failed_;
};

// What goes wrong while it is read is not the destination's fault.
class DecryptedReader final : public io::Reader {
 public:
  DecryptedReader(std::unique_ptr<io::Reader> inner, bool& failed)
      : inner_(std::move(inner)), failed_(failed) {}
  std::size_t read(io::Buffer buffer) override {
    try {
      return inner_->read(buffer);
    } catch (...) {
      failed_ = true;
      throw;
    }
  }

 private:
  std::unique_ptr<io::Reader> inner_;
  bool& failed_;
};

// Schema 1 manifests and a few archives know no sizes: they say 0.
std::optional<std::uint64_t> known_size(const spec::Descriptor& blob) {
  return blob.size == 0 ? std::nullopt : std::optional(blob.size);
}

struct Job {
  const spec::Descriptor& blob;
  bool is_config;
  std::size_t index;
  LayerWish wish;
  LayerCrypto crypto{};

  bool keeps_secrecy() const { return crypto.step == LayerCrypto::Step::none; }
  bool encrypts() const { return crypto.step == LayerCrypto::Step::encrypt; }
  bool decrypts() const { return crypto.step == LayerCrypto::Step::decrypt; }
};

transport::PutBlob unchanged(const Job& job) {
  return {.digest = job.blob.digest,
          .size = known_size(job.blob),
          .media_type = job.blob.media_type,
          .is_config = job.is_config,
          .layer_index = job.index};
}

transport::PutBlob changed(const Job& job) {
  transport::PutBlob put = unchanged(job);
  put.digest.reset();
  put.size.reset();
  if (job.encrypts()) put.media_type = encrypted_media_type(put.media_type);
  if (job.decrypts()) put.media_type = decrypted_media_type(put.media_type);
  return put;
}

// What a blob is made into.
struct Target {
  Compression compression;
  bool chunked = false;
};

std::unique_ptr<io::Reader> transform(Session& session, std::unique_ptr<io::Reader> data, Compression present,
                                      Target target) {
  if (present != Compression::none) data = io::decompress(std::move(data), present);
  if (target.compression == Compression::none) return data;
  const io::CompressOptions options{
      .format = target.compression, .level = session.options.compression_level, .threads = 0};
  if (target.chunked)
    return std::make_unique<layer::ChunkedCompressor>(std::move(data), io::compression_level(options));
  return io::compress(std::move(data), options);
}

transport::BlobInfo send_changed(Session& session, const Context& context, const Job& job, io::Reader& data) {
  return session.options.precompute_digests ? put_spooled(session, context, data, changed(job))
                                            : session.destination.put_blob(context, changed(job), data);
}

// A changed blob: the source's bytes are verified here, those that arrive get a digest at the destination.
CopiedBlob put_changed(Session& session, const Context& context, const Job& job,
                       std::unique_ptr<io::Reader> data, Compression present, Target target) {
  bool ended = false;
  io::VerifyingReader verified(*data, job.blob.digest, known_size(job.blob));
  std::unique_ptr<io::Reader> result = std::make_unique<io::BorrowedReader>(verified, ended);
  const bool recompresses = target.compression != present || target.chunked;
  if (recompresses) result = transform(session, std::move(result), present, target);
  std::optional<LayerEncryptor> encryptor;
  if (job.encrypts()) encryptor.emplace(*session.options.encryption);
  const transport::BlobInfo info =
      send_changed(session, context, job, encryptor ? encryptor->read(*result) : *result);
  if (!ended) io::drain(verified);
  CopiedBlob copied{info.digest, info.size, target.compression, recompresses};
  if (encryptor) {
    copied.crypto = {true, encryptor->annotations()};
    return copied;
  }
  remember_pair(session, job.blob.digest, present, info.digest, target.compression);
  if (target.chunked) copied.annotations = static_cast<layer::ChunkedCompressor&>(*result).annotations();
  return copied;
}

// The bytes that go on from here.
std::unique_ptr<io::Reader> opened(const Session& session, const Job& job, std::unique_ptr<io::Reader> data,
                                   bool& failed) {
  if (!job.decrypts()) return data;
  auto plain = decrypt_layer(std::move(data), job.blob, *session.options.decryption, job.crypto.diff_id);
  return std::make_unique<DecryptedReader>(std::move(plain), failed);
}

// A decrypted blob stays compressed as it is. Nothing about it is remembered.
CopiedBlob put_decrypted(Session& session, const Context& context, const Job& job, io::Reader& data,
                         Compression present) {
  const transport::BlobInfo info = send_changed(session, context, job, data);
  CopiedBlob copied{info.digest, info.size, present, false};
  copied.crypto = {false, crypt::without_encryption(job.blob.annotations)};
  return copied;
}

// A blob that stays as it is.
CopiedBlob put_unchanged(Session& session, const Context& context, const Job& job, io::Reader& data,
                         Compression present) {
  const transport::BlobInfo info = session.destination.put_blob(context, unchanged(job), data);
  if (present != Compression::none && info.uncompressed)
    remember_pair(session, job.blob.digest, present, *info.uncompressed, Compression::none);
  return {info.digest, info.size, present, false};
}

CopiedBlob stream(Session& session, const Context& context, const Job& job, Transfer& transfer) {
  auto slot = session.shared.slots.acquire(context);
  if (!job.is_config)
    if (auto copied = put_parts(session, context, job.blob, job.wish, transfer)) return *copied;
  bool source_failed = false;
  transport::Blob blob =
      in_context("reading from the source", [&] { return session.source.blob(context, job.blob); });
  io::ProgressReader counted(*blob.reader, context, transfer);
  auto [data, present] =
      io::detect(opened(session, job, std::make_unique<SourceReader>(counted, source_failed), source_failed));
  const Compression target =
      job.is_config ? present : target_compression(job.blob.media_type, present, job.wish);
  // Who cannot read a layer has no use for its table of contents.
  const bool chunked =
      !job.is_config && !job.encrypts() && becomes_chunked(job.blob, present, target, job.wish);
  try {
    if (job.decrypts()) return put_decrypted(session, context, job, *data, present);
    CopiedBlob copied = target == present && !chunked && !job.encrypts()
                            ? put_unchanged(session, context, job, *data, present)
                            : put_changed(session, context, job, std::move(data), present, {target, chunked});
    if (!job.encrypts()) remember_location(session, job.blob.digest, copied.digest);
    return copied;
  } catch (Error& error) {
    if (!source_failed) error.add_context("writing to the destination");
    throw;
  }
}

// What tells apart what becomes of equal blobs.
std::string crypto_key(const Job& job) {
  if (job.encrypts()) return " encrypted";
  if (!job.decrypts()) return "";
  std::string key = " decrypted " + (job.crypto.diff_id ? job.crypto.diff_id->digest.str() : "");
  for (const auto& [name, value] : job.blob.annotations) key += ' ' + name + '=' + value;
  return key;
}

CopiedBlob copy_blob(Session& session, const Context& context, const Job& job) {
  auto transfer =
      context.progress.start(job.is_config ? "config" : "blob", job.blob.digest.str(), known_size(job.blob));
  const auto work = [&]() -> CopiedBlob {
    if (auto reused = job.keeps_secrecy() ? reuse_blob(session, context, job.blob, job.is_config, job.wish)
                                          : std::nullopt) {
      transfer->finish(reused->mounted ? Transfer::Outcome::mounted : Transfer::Outcome::already_exists);
      return reused->blob;
    }
    CopiedBlob copied = stream(session, context, job, *transfer);
    transfer->finish(Transfer::Outcome::done);
    return copied;
  };
  bool first = false;
  // Of two instances, one may be signed and its blobs have to stay as they are.
  const std::string key =
      job.blob.digest.str() + (job.is_config ? " config" : " layer " + job.blob.media_type) +
      (session.may_change() ? "" : " unchanged") +
      (becomes_chunked(job.blob, Compression::zstd, Compression::zstd, job.wish) ? " toc" : "") +
      crypto_key(job);
  CopiedBlob copied = in_context(
      [&] { return std::string("copying ") + (job.is_config ? "config " : "blob ") + job.blob.digest.str(); },
      [&] { return session.shared.blobs.get(key, work, first); });
  if (!first) transfer->finish(Transfer::Outcome::already_exists);
  return copied;
}

bool is_kept_by_url(const Session& session, const spec::Descriptor& layer) {
  return !layer.urls.empty() && spec::is_foreign_layer(layer.media_type) &&
         session.destination.traits().accepts_foreign_urls;
}

LayerWish wish_of(const Session& session) {
  LayerWish wish{session.destination.traits().layers, session.options.compression,
                 session.options.force_compression_format, session.options.zstd_chunked};
  if (session.may_change()) return wish;
  if (wish.layers == Layers::decompress) {
    throw Error(Kind::invalid_input,
                "Copying this image would require changing layer representation, which we cannot do: \"" +
                    session.unchangeable_reason + "\"");
  }
  wish.layers = Layers::preserve;
  return wish;
}

// Serial destinations get their layers in order.
std::size_t parallel_layers(const Session& session) {
  return session.destination.traits().parallel_blobs ? session.options.parallel_copies : 1;
}

spec::Descriptor described(const spec::Descriptor& layer, const CopiedBlob& copied) {
  spec::Descriptor result = layer;
  if (result.size == 0) result.size = copied.size;
  if (!copied.compression_changed && !copied.crypto) return result;
  if (copied.compression_changed) result.media_type = with_compression(layer.media_type, copied.compression);
  result.digest = copied.digest;
  result.size = copied.size;
  if (!copied.crypto) {
    result.annotations = changed_annotations(layer.annotations, copied.annotations);
    return result;
  }
  result.media_type = copied.crypto->encrypted ? encrypted_media_type(result.media_type)
                                               : decrypted_media_type(result.media_type);
  result.annotations = crypt::without_encryption(layer.annotations);
  result.annotations.insert(copied.crypto->annotations.begin(), copied.crypto->annotations.end());
  return result;
}

// The layer as its manifest names it, which the source can no longer give, if the destination has it.
std::optional<spec::Descriptor> find_original(Session& session, const Context& context,
                                              const spec::Descriptor& layer, const LayerWish& wish) {
  const auto reused = reuse_blob(session, context, layer, false, wish);
  if (!reused) {
    if (session.may_change()) return std::nullopt;
    throw Error(Kind::invalid_input,
                "Copying this image would require changing layer representation, which we cannot do: \"" +
                    session.unchangeable_reason + "\"");
  }
  auto transfer = context.progress.start("blob", layer.digest.str(), known_size(layer));
  transfer->finish(reused->mounted ? Transfer::Outcome::mounted : Transfer::Outcome::already_exists);
  return described(layer, reused->blob);
}

// `stored`: what the source gives instead of `layer`, or the same.
spec::Descriptor copy_layer(Session& session, const Context& context, const spec::Descriptor& layer,
                            const spec::Descriptor& stored, std::size_t index, const LayerWish& wish,
                            const LayerCrypto& crypto) {
  if (is_kept_by_url(session, layer)) return layer;
  if (stored.digest != layer.digest && crypto.step == LayerCrypto::Step::none)
    if (auto original = find_original(session, context, layer, wish)) return *original;
  return described(stored, copy_blob(session, context, {stored, false, index, wish, crypto}));
}

spec::Digest read_diff_id(Session& session, const Context& context, const spec::Descriptor& layer) {
  return in_context([&] { return "reading layer " + layer.digest.str() + " from the source"; },
                    [&] {
                      auto slot = session.shared.slots.acquire(context);
                      transport::Blob blob = session.source.blob(context, layer);
                      bool ended = false;
                      io::VerifyingReader verified(*blob.reader, layer.digest, known_size(layer));
                      auto [data, present] =
                          io::detect(std::make_unique<io::BorrowedReader>(verified, ended));
                      auto plain = io::decompress(std::move(data), present);
                      io::DigestingReader digesting(*plain);
                      io::drain(digesting);
                      if (!ended) io::drain(verified);
                      return digesting.finish();
                    });
}

}  // namespace

std::vector<spec::Descriptor> copy_layers(Session& session, const Context& context,
                                          const std::vector<spec::Descriptor>& layers,
                                          const std::vector<spec::Descriptor>& stored,
                                          const std::vector<LayerCrypto>& crypto) {
  const LayerWish wish = wish_of(session);
  std::vector<spec::Descriptor> copied = layers;
  parallel_for(context, layers.size(), parallel_layers(session), [&](const Context& inner, std::size_t i) {
    copied[i] = copy_layer(session, inner, layers[i], stored.empty() ? layers[i] : stored[i], i, wish,
                           crypto.empty() ? LayerCrypto() : crypto[i]);
  });
  return copied;
}

std::vector<spec::DiffId> read_diff_ids(Session& session, const Context& context,
                                        const std::vector<spec::Descriptor>& layers) {
  std::vector<std::optional<spec::Digest>> digests(layers.size());
  parallel_for(
      context, layers.size(), session.options.parallel_copies,
      [&](const Context& inner, std::size_t i) { digests[i] = read_diff_id(session, inner, layers[i]); });
  std::vector<spec::DiffId> result;
  for (auto& digest : digests) result.push_back({*digest});
  return result;
}

void copy_config(Session& session, const Context& context, const spec::Descriptor& config) {
  copy_blob(session, context, {config, true, 0, LayerWish{}});
}

void put_document(Session& session, const Context& context, const spec::Descriptor& descriptor,
                  const std::string& bytes, bool is_config) {
  auto transfer =
      context.progress.start(is_config ? "config" : "blob", descriptor.digest.str(), bytes.size());
  auto reader = io::make_text_reader(bytes);
  in_context([&] { return "writing " + descriptor.digest.str() + " to the destination"; },
             [&] {
               session.destination.put_blob(context, unchanged({descriptor, is_config, 0, {}}), *reader);
             });
  transfer->finish(Transfer::Outcome::done);
}

}  // namespace lade::copy
