#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "http_fixture.hpp"
#include "registry/client.hpp"
#include "registry/multipart_ranges.hpp"
#include "registry/ranged_reader.hpp"
#include "support/fake_http.hpp"

using namespace lade;
using namespace lade::test;
using registry::RangeBudget;
using registry::RangedReader;
using registry::RangeOptions;

namespace {

constexpr std::size_t segment = 10'000;

// A server of one blob that knows ranges.
struct BlobServer : HttpFixture {
  explicit BlobServer(std::size_t size) : blob(random_bytes(size)) {
    server.on("GET", "/", [this](const RecordedRequest& request) { return answer(request); });
  }

  Reply part(std::size_t first, std::size_t last) const {
    last = std::min(last, blob.size() - 1);
    return reply(206,
                 {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                        std::to_string(blob.size())}},
                 blob.substr(first, last - first + 1));
  }

  static std::pair<std::size_t, std::size_t> range_of(const RecordedRequest& request) {
    const std::string range = request.header("Range");
    if (range.empty()) return {0, std::string::npos};
    const std::size_t dash = range.find('-');
    const std::string last = range.substr(dash + 1);
    return {std::stoul(range.substr(6, dash - 6)), last.empty() ? std::string::npos : std::stoul(last)};
  }

  virtual ~BlobServer() = default;
  virtual Reply answer(const RecordedRequest& request) {
    const auto [first, last] = range_of(request);
    if (change) {
      if (const auto changed = change(first)) return *changed;
    }
    return part(first, last);
  }

  std::unique_ptr<RangedReader> open(unsigned connections = 4, std::size_t budget_size = 100 * segment,
                                     std::uint64_t offset = 0) {
    if (!budget) budget = std::make_shared<RangeBudget>(budget_size);
    const auto fetch = [this](const Context& context, const std::string& range) {
      registry::HttpRequest made = request("GET", server.url("/"));
      if (!range.empty()) made.headers = {{"Range", range}};
      return send(std::move(made), context);
    };
    pool();
    const std::vector<io::ByteRange> all{{offset, blob.size() - offset}};
    return RangedReader::open(context(), "blob", budget,
                              RangeOptions{connections, segment, few_parts, refuses}, blob.size(),
                              parts.empty() ? all : parts, fetch);
  }
  Context context() { return {stop.get_token(), null_logger(), silent_progress(), clock}; }

  std::vector<std::size_t> starts() const {
    std::vector<std::size_t> starts;
    for (const RecordedRequest& request : server.requests()) starts.push_back(range_of(request).first);
    return starts;
  }

  std::string blob;
  std::size_t few_parts = 1;
  std::shared_ptr<std::atomic<bool>> refuses = std::make_shared<std::atomic<bool>>(false);
  std::vector<io::ByteRange> parts;                               // empty: all from the offset on
  std::function<std::optional<Reply>(std::size_t first)> change;  // instead of the part that begins there
  std::shared_ptr<RangeBudget> budget;
  FakeClock clock;
  std::stop_source stop;
  ScriptedServer server;
};

}  // namespace

TEST_CASE("a blob in segments arrives in order, whatever its size") {
  for (const std::size_t size : {std::size_t(1), segment - 1, segment, segment + 1, 33 * segment + 17}) {
    CAPTURE(size);
    BlobServer blobs(size);
    const auto reader = blobs.open();
    CHECK((read_text(*reader) == blobs.blob));
    CHECK(blobs.server.requests().size() == (size + segment - 1) / segment);
  }
}

namespace {

std::string joined(const BlobServer& blobs) {
  std::string text;
  for (const auto& part : blobs.parts) text += blobs.blob.substr(part.offset, part.size);
  return text;
}

// Answers several ranges in one body, as Go's net/http does.
struct MultipartServer : BlobServer {
  using BlobServer::BlobServer;

  Reply answer(const RecordedRequest& request) override {
    std::vector<io::ByteRange> asked;
    std::string text = request.header("Range").substr(6);
    while (!text.empty()) {
      const auto comma = std::min(text.find(','), text.size());
      const auto dash = text.find('-');
      const std::uint64_t first = std::stoul(text.substr(0, dash)), last = std::stoul(text.substr(dash + 1));
      asked.push_back({first, last - first + 1});
      text.erase(0, comma + 1);
    }
    if (asked.size() == 1) return BlobServer::answer(request);
    if (reorder) std::ranges::reverse(asked);
    std::string body;
    for (const auto& part : asked)
      body += "\r\n--b\"o\r\nContent-Type: application/octet-stream\r\n" + header_line +
              "content-range: bytes " + std::to_string(part.offset) + "-" + std::to_string(part.end() - 1) +
              "/" + std::to_string(blob.size()) + "\r\n\r\n" + blob.substr(part.offset, part.size);
    body += "\r\n--b\"o--\r\n";
    Reply made = reply(206, {{"Content-Type", "multipart/byteranges; x=y; boundary=b\"o"}}, body.substr(2));
    if (cut_once.exchange(false)) made.cut_at = made.bytes.size() - cut;
    return made;
  }

  bool reorder = false;
  std::string header_line;
  std::atomic<bool> cut_once{false};
  std::size_t cut = 0;  // bytes before the end
};

}  // namespace

TEST_CASE("parts of a blob arrive one after the other, large ones in segments, and nothing else is asked for") {
  BlobServer blobs(9 * segment);
  blobs.parts = {{3, 5}, {segment - 1, 2 * segment + 1}, {8 * segment + 7, segment - 7}};
  CHECK((read_text(*blobs.open()) == joined(blobs)));
  auto starts = blobs.starts();
  std::ranges::sort(starts);
  // The first time for several, which this server does not answer.
  CHECK(starts ==
        std::vector<std::size_t>{3, 3, segment - 1, 2 * segment - 6, 3 * segment - 6, 8 * segment + 7});
  CHECK(*blobs.refuses);
}

TEST_CASE("a few parts, and those of servers that have refused several, are asked for one at a time") {
  for (const bool refuses : {false, true}) {
    MultipartServer blobs(9 * segment);
    blobs.parts = {{3, 5}, {100, 5}, {200, 5}};
    blobs.few_parts = refuses ? 1 : 3;
    *blobs.refuses = refuses;
    CHECK((read_text(*blobs.open()) == joined(blobs)));
    CHECK(blobs.server.requests().size() == 3);
  }
}

TEST_CASE("many small parts take few requests where the server answers several in one") {
  MultipartServer blobs(20 * segment);
  for (std::size_t i = 0; i < 150; ++i) blobs.parts.push_back({i * 1000, 30 + i % 7});
  CHECK((read_text(*blobs.open()) == joined(blobs)));
  CHECK(blobs.server.requests().size() == 3);
  CHECK(blobs.server.connections() <= 3);
}

TEST_CASE("an answer in several parts that breaks off goes on where it broke") {
  for (const std::size_t cut : {1U, 10U, 20U, 100U, 150U, 300U, 2000U}) {
    CAPTURE(cut);
    MultipartServer blobs(20 * segment);
    for (std::size_t i = 0; i < 20; ++i) blobs.parts.push_back({i * 1000, 100});
    blobs.cut_once = true;
    blobs.cut = cut;
    CHECK((read_text(*blobs.open()) == joined(blobs)));
    CHECK(blobs.server.requests().size() <= 2);
  }
}

TEST_CASE("an answer with other parts than were asked for is not taken: each is asked for alone") {
  for (const bool reorder : {true, false}) {
    MultipartServer blobs(20 * segment);
    for (std::size_t i = 0; i < 20; ++i) blobs.parts.push_back({i * 1000, 100});
    blobs.reorder = reorder;
    if (!reorder) blobs.header_line = "X: " + std::string(5000, 'x') + "\r\n";
    CHECK((read_text(*blobs.open()) == joined(blobs)));
    CHECK(blobs.server.requests().size() == 21);
  }
}

TEST_CASE("the boundary of an answer in several parts is found, if there is one") {
  using registry::byteranges_boundary;
  CHECK(byteranges_boundary("multipart/byteranges; boundary=abc") == "abc");
  CHECK(byteranges_boundary("Multipart/ByteRanges ; charset=x ; BOUNDARY=\"a b\"") == "a b");
  for (const auto& type : {std::string("multipart/mixed; boundary=a"), std::string("multipart/byteranges"),
                           std::string("multipart/byteranges; boundary="), std::string(""),
                           "multipart/byteranges; boundary=" + std::string(71, 'x')})
    CHECK_FALSE(byteranges_boundary(type));
}

TEST_CASE("segments are fetched at the same time") {
  BlobServer blobs(4 * segment);
  const auto all = std::make_shared<Gate>();
  std::atomic<int> asked{0};
  blobs.change = [&](std::size_t first) {
    Reply part = blobs.part(first, first + segment - 1);
    if (++asked == 4) all->open();
    part.at_gap = all;
    part.gap = part.bytes.size() - 1;
    return part;
  };
  CHECK((read_text(*blobs.open(4)) == blobs.blob));
  CHECK(blobs.server.connections() == 4);
}

TEST_CASE("bytes of the front segment are handed over while it still arrives") {
  BlobServer blobs(2 * segment);
  const auto gate = std::make_shared<Gate>();
  blobs.change = [&](std::size_t first) {
    Reply part = blobs.part(first, first + segment - 1);
    if (first == 0) {
      part.at_gap = gate;
      part.gap = part.bytes.size() - 1;
    }
    return part;
  };
  const auto reader = blobs.open();
  std::vector<std::byte> buffer(segment - 1);
  CHECK(io::read_full(*reader, buffer) == segment - 1);
  gate->open();
  CHECK((read_text(*reader) == blobs.blob.substr(segment - 1)));
}

TEST_CASE("no more is asked for than one segment and the budget") {
  BlobServer blobs(40 * segment);
  std::atomic<std::size_t> consumed{0};
  std::atomic<bool> exceeded{false};
  blobs.change = [&](std::size_t first) {
    if (first >= consumed + 4 * segment) exceeded = true;
    return std::nullopt;
  };
  const auto reader = blobs.open(8, 2 * segment);
  std::vector<std::byte> buffer(1000);
  while (true) {
    consumed += buffer.size();
    if (reader->read(buffer) == 0) break;
  }
  CHECK_FALSE(exceeded);
}

TEST_CASE("readers that share a budget all come to their end") {
  BlobServer blobs(20 * segment);
  std::vector<std::unique_ptr<RangedReader>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(blobs.open(4, segment));
  for (const auto& reader : readers) CHECK((read_text(*reader) == blobs.blob));
}

TEST_CASE("a blob is read from where another connection left off") {
  BlobServer blobs(5 * segment + 7);
  for (const std::size_t offset : {std::size_t{1}, segment, 5 * segment, 5 * segment + 6}) {
    CAPTURE(offset);
    CHECK((read_text(*blobs.open(4, 100 * segment, offset)) == blobs.blob.substr(offset)));
  }
}

TEST_CASE("a server without ranges, or with another idea of them, is not read over several connections") {
  BlobServer blobs(5 * segment);
  std::optional<Reply> answer;
  blobs.change = [&](std::size_t) { return answer; };
  answer = reply(200, {}, blobs.blob);
  CHECK(blobs.open() == nullptr);
  answer = reply(206, {{"Content-Range", "bytes 5-9/*"}}, "wrong");
  CHECK(blobs.open() == nullptr);
  answer = reply(206, {{"Content-Range", "bytes 0-9999/50001"}}, blobs.blob.substr(0, segment));
  CHECK(blobs.open() == nullptr);
  answer = reply(404, {}, R"({"errors":[{"code":"BLOB_UNKNOWN"}]})");
  CHECK(blobs.open() == nullptr);
}

TEST_CASE("a segment that breaks off goes on where it broke") {
  BlobServer blobs(8 * segment);
  std::atomic<bool> broken{false};
  blobs.change = [&](std::size_t first) -> std::optional<Reply> {
    if (first != 3 * segment || broken.exchange(true)) return std::nullopt;
    Reply part = blobs.part(first, first + segment - 1);
    part.cut_at = part.bytes.size() - 4000;
    return part;
  };
  CHECK((read_text(*blobs.open()) == blobs.blob));
  const auto starts = blobs.starts();
  CHECK(std::count(starts.begin(), starts.end(), 4 * segment - 4000) == 1);
}

TEST_CASE("a temporary refusal of a segment is asked for again") {
  BlobServer blobs(8 * segment);
  std::atomic<int> refusals{0};
  blobs.change = [&](std::size_t first) -> std::optional<Reply> {
    if (first == 0 || refusals++ > 3) return std::nullopt;
    return reply(503);
  };
  CHECK((read_text(*blobs.open()) == blobs.blob));
}

TEST_CASE("a segment that never gets further is an error") {
  BlobServer blobs(8 * segment);
  blobs.change = [&](std::size_t first) -> std::optional<Reply> {
    if (first == 5 * segment) return reply(503);
    return std::nullopt;
  };
  const auto reader = blobs.open();
  const std::string error = BlobServer::error_of([&] { read_text(*reader); });
  CHECK(contains(error, "fetching bytes 50000-59999 of blob: "));
  CHECK(contains(error, "503"));
}

TEST_CASE("a server that changes its mind is an integrity error") {
  for (const char* range : {"bytes 10000-19999/99999", "bytes 0-9999/80000", "bytes 10000-19998/80000", ""}) {
    CAPTURE(std::string(range));
    BlobServer blobs(8 * segment);
    blobs.change = [&](std::size_t first) -> std::optional<Reply> {
      if (first != segment) return std::nullopt;
      return reply(*range == '\0' ? 200 : 206, {{"Content-Range", range}}, blobs.blob.substr(0, segment));
    };
    const auto reader = blobs.open();
    CHECK(contains(BlobServer::error_of([&] { read_text(*reader); }), "answered a request for a range with"));
  }
}

TEST_CASE("a reader may be left before its end") {
  BlobServer blobs(20 * segment);
  const auto never = std::make_shared<Gate>();
  blobs.change = [&](std::size_t first) -> std::optional<Reply> {
    Reply part = blobs.part(first, first + segment - 1);
    if (first > 0) part.before = never;
    return part;
  };
  const auto reader = blobs.open();
  std::byte one{};
  CHECK(reader->read({&one, 1}) == 1);
}

TEST_CASE("a stop wakes the reading thread and the workers") {
  BlobServer blobs(20 * segment);
  const auto never = std::make_shared<Gate>();
  blobs.change = [&](std::size_t first) -> std::optional<Reply> {
    Reply part = blobs.part(first, first + segment - 1);
    if (first > 0) part.before = never;
    return part;
  };
  const auto reader = blobs.open();
  std::vector<std::byte> buffer(segment);
  CHECK(io::read_full(*reader, buffer) == segment);
  std::jthread stopper([&] { blobs.stop.request_stop(); });
  CHECK_THROWS_AS(reader->read(buffer), Cancelled);
}

TEST_CASE("segments are smaller the more connections there are") {
  CHECK(registry::range_options(0).connections == 1);
  CHECK(registry::range_options(4).segment == 4 << 20);
  CHECK(registry::range_options(8).segment == 2 << 20);
  CHECK(registry::range_options(64).segment == 1 << 20);
}
