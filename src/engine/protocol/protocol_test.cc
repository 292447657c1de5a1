// Every payload survives being written and read; the decoder takes any split and trusts nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"

namespace fh::engine::protocol {
namespace {

namespace d = domain;

// Random values of every type; texts are UTF-8 with all that JSON must escape.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool coin() { return below(2) == 0; }
  std::uint64_t u64() { return random_() >> below(64); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(random_() >> (32 + below(32))); }
  std::int64_t i64() { return static_cast<std::int64_t>(random_()) >> below(64); }
  double number() {
    switch (below(4)) {
      case 0: return 0;
      case 1: return -std::numeric_limits<double>::infinity();
      case 2: return static_cast<double>(i64()) / 3;
      default: return static_cast<double>(below(1000)) * 1e-300;
    }
  }
  std::string text() {
    static const std::vector<std::string> kPieces = {
        "a",          "\"",   "\\",       "\n",           std::string(1, '\0'),
        "\x1F",       "</s>", "\xC3\xA9", "\xE2\x80\xA8", "\xF0\x9F\x98\x80",
        "{\"k\": 1}", "\x7F", " "};
    std::string out;
    for (std::uint64_t i = below(6); i > 0; --i) out += kPieces[below(kPieces.size())];
    return out;
  }
  std::string bytes() {
    std::string out;
    for (std::uint64_t i = below(6); i > 0; --i) out += static_cast<char>(below(256));
    return out;
  }
  template <typename Fn>
  auto many(Fn fn) {
    std::vector<decltype(fn())> out;
    for (std::uint64_t i = below(4); i > 0; --i) out.push_back(fn());
    return out;
  }
  template <typename Fn>
  auto maybe(Fn fn) {
    return coin() ? std::optional(fn()) : std::nullopt;
  }

  d::ImagePart image() { return {text(), text(), text()}; }
  d::Part part() {
    switch (below(6)) {
      case 0: return d::TextPart{text()};
      case 1: return image();
      case 2: return d::OpaquePart{text()};
      case 3: return d::ReasoningPart{text(), text()};
      case 4: return d::ToolCallPart{text(), text(), text()};
      default:
        return d::ToolResultPart{text(), text(), text(), coin(), many([this] { return image(); })};
    }
  }
  d::Sampling sampling() {
    const auto number_ = [this] { return number(); };
    d::Sampling s;
    s.temperature = maybe(number_);
    s.top_p = maybe(number_);
    s.top_k = maybe([this] { return static_cast<std::int32_t>(u32()); });
    s.min_p = maybe(number_);
    s.presence_penalty = maybe(number_);
    s.frequency_penalty = maybe(number_);
    s.repeat_penalty = maybe(number_);
    s.seed = maybe([this] { return u64(); });
    s.logit_bias = many([this] { return std::pair(static_cast<std::int32_t>(u32()), number()); });
    return s;
  }
  d::Generation generation() {
    d::Generation g;
    g.conversation.messages = many([this] {
      return d::Message{static_cast<d::Role>(below(4)), many([this] { return part(); })};
    });
    g.conversation.tools = many([this] { return d::Tool{text(), text(), text(), coin()}; });
    g.conversation.tool_choice = {static_cast<d::ToolChoice::Mode>(below(4)), text(), coin()};
    g.conversation.format = {static_cast<d::OutputFormat::Kind>(below(3)), text()};
    g.conversation.reasoning = {static_cast<d::Reasoning::Mode>(below(3)),
                                maybe([this] { return u32(); }), text()};
    g.sampling = sampling();
    g.max_tokens = maybe([this] { return u32(); });
    g.stop = many([this] { return text(); });
    g.logprobs = coin();
    g.top_logprobs = u32();
    return g;
  }
  base::Error error() {
    return {static_cast<base::Code>(below(16)), text(), text(), text(), text()};
  }
  std::vector<std::uint8_t> raw() {
    const std::string b = bytes();
    return {b.begin(), b.end()};
  }
  d::TokenLogprob logprob() {
    return {bytes(), raw(), number(),
            many([this] { return d::TokenLogprob::Top{bytes(), raw(), number()}; })};
  }
  d::Usage usage() { return {u64(), u64(), u64(), u64(), u64(), u64(), u64()}; }
  d::PromptWork work() { return {u64(), u64(), u64()}; }
  d::Timings timings() { return {i64(), i64(), i64()}; }
  d::Event event() {
    switch (below(8)) {
      case 0: return d::Started{u64(), work()};
      case 1: return d::TextDelta{text(), many([this] { return logprob(); })};
      case 2: return d::ReasoningDelta{text()};
      case 3: return d::ToolCallStart{text(), text()};
      case 4: return d::ToolCallDelta{text()};
      case 5: return d::ToolCallEnd{};
      case 6:
        return d::Finished{static_cast<d::EndReason>(below(13)), text(), usage(), work(),
                           timings()};
      default: return d::Failed{error(), usage(), work(), timings()};
    }
  }

 private:
  std::mt19937_64 random_;
};

bool same(const base::Error& a, const base::Error& b) {
  return a.code == b.code && a.message == b.message && a.hint == b.hint && a.field == b.field &&
         a.reason == b.reason;
}

bool same(const d::Event& a, const d::Event& b) {
  const auto* x = std::get_if<d::Failed>(&a);
  const auto* y = std::get_if<d::Failed>(&b);
  if (x != nullptr && y != nullptr) {
    return same(x->error, y->error) && x->usage == y->usage && x->work == y->work &&
           x->timings == y->timings;
  }
  return a.index() == b.index() && std::visit(
                                       [&b]<typename T>(const T& value) {
                                         if constexpr (std::is_same_v<T, d::Failed>) {
                                           return false;
                                         } else {
                                           return value == std::get<T>(b);
                                         }
                                       },
                                       a);
}

TEST(Messages, PrepareRoundTrips) {
  Generator g(1);
  for (int i = 0; i < 500; ++i) {
    const PrepareRequest request{g.text(), g.text(), g.text(), g.generation(), g.coin()};
    const auto back = parse_prepare(write_prepare(request));
    ASSERT_TRUE(back) << back.error().message << write_prepare(request);
    EXPECT_EQ(back->request_id, request.request_id);
    EXPECT_EQ(back->tenant, request.tenant);
    EXPECT_EQ(back->session_hint, request.session_hint);
    EXPECT_EQ(back->count_only, request.count_only);
    EXPECT_EQ(back->generation, request.generation) << write_prepare(request);
  }
}

TEST(Messages, EventsRoundTrip) {
  Generator g(2);
  for (int i = 0; i < 2000; ++i) {
    const d::Event event = g.event();
    const auto back = parse_event(write_event(event));
    ASSERT_TRUE(back) << back.error().message << write_event(event);
    EXPECT_TRUE(same(*back, event)) << write_event(event);
  }
}

TEST(Messages, TheSmallOnesRoundTrip) {
  Generator g(3);
  for (int i = 0; i < 300; ++i) {
    const Hello hello{g.u32(), g.i64(), g.text()};
    EXPECT_EQ(parse_hello(write_hello(hello)), hello);
    const base::Error error = g.error();
    EXPECT_TRUE(same(*parse_error(write_error(error)), error));

    const ModelInfo info{g.text(),
                         g.u32(),
                         g.coin(),
                         g.coin(),
                         g.coin(),
                         g.u32(),
                         static_cast<ModelState>(g.below(4)),
                         g.text()};
    const auto info2 = parse_info(write_info(info));
    ASSERT_TRUE(info2);
    EXPECT_EQ(write_info(*info2), write_info(info));
    EXPECT_EQ(info2->id, info.id);
    EXPECT_EQ(info2->detail, info.detail);
    EXPECT_EQ(info2->state, info.state);

    const EngineStatus status{g.u32(), g.u32(), g.u32(), g.u64(), g.u64(), g.u64()};
    const auto status2 = parse_status(write_status(status));
    ASSERT_TRUE(status2);
    EXPECT_EQ(write_status(*status2), write_status(status));
    EXPECT_EQ(status2->kv_tokens_max, status.kv_tokens_max);

    const Prepared prepared{0, g.u64(), g.u32(), g.u32()};
    const auto prepared2 = parse_prepared(write_prepared(prepared));
    ASSERT_TRUE(prepared2);
    EXPECT_EQ(prepared2->prompt_tokens, prepared.prompt_tokens);
    EXPECT_EQ(prepared2->context_tokens, prepared.context_tokens);
    EXPECT_EQ(prepared2->max_output_tokens, prepared.max_output_tokens);
  }
}

TEST(Messages, ParsersNameWhatIsWrong) {
  const auto missing = parse_prepared(R"({"prompt_tokens":1,"context_tokens":2})");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Code::DataLoss);
  EXPECT_TRUE(missing.error().message.contains("max_output_tokens")) << missing.error().message;
  for (const char* text :
       {"", "null", "[]", "{}", R"({"kind":"text"})", R"({"kind":"text","text":1})",
        R"({"kind":"other"})", R"({"kind":"started","prompt_tokens":-1,"work":{}})",
        R"({"kind":"started","prompt_tokens":1.5,"work":{"computed":1,"cached":0,"restored":0}})",
        R"({"kind":"finished","reason":"nonsense"})"}) {
    EXPECT_FALSE(parse_event(text)) << text;
  }
  EXPECT_FALSE(parse_error(R"({"code":16,"message":"","hint":"","field":"","reason":""})"));
  EXPECT_TRUE(parse_error(R"({"code":15,"message":"","hint":"","field":"","reason":"","new":1})"));
}

TEST(Messages, DamagedPayloadsNeverParseIntoSomethingElseSilently) {
  Generator g(4);
  for (int i = 0; i < 300; ++i) {
    const std::string text = write_event(g.event());
    const std::string cut = text.substr(0, g.below(text.size()));
    EXPECT_FALSE(parse_event(cut)) << cut;
  }
}

std::vector<Frame> decode(FrameDecoder& decoder, std::string_view bytes, std::size_t piece) {
  std::vector<Frame> frames;
  while (!bytes.empty()) {
    EXPECT_TRUE(decoder.feed(bytes.substr(0, piece)));
    while (auto frame = decoder.next()) frames.push_back(*std::move(frame));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return frames;
}

TEST(Frames, AnySplitGivesTheSameFrames) {
  Generator g(5);
  std::vector<Frame> sent;
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    Frame frame{static_cast<FrameType>(1 + g.below(7)), g.u64(), g.text()};
    if (i == 100) frame.payload.assign(200'000, 'x');
    bytes += *encode_frame(frame);
    sent.push_back(std::move(frame));
  }
  for (const std::size_t piece : {1, 3, 13, 1000, 70'000, 10'000'000}) {
    FrameDecoder decoder(Sender::Worker);
    EXPECT_EQ(decode(decoder, bytes, piece), sent) << piece;
    EXPECT_FALSE(decoder.partial());
    EXPECT_TRUE(decoder.status());
  }
}

TEST(Frames, TheFormIsFixed) {
  const auto bytes = encode_frame({FrameType::Cancel, 0x0102030405060708, "ab"});
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, std::string("\x0B\0\0\0\x43\x08\x07\x06\x05\x04\x03\x02\x01"
                                "ab",
                                15));
}

TEST(Frames, LengthsOutOfBoundsAreRefusedBeforeTheirBytesCome) {
  for (const char* head :
       {"\x00\x00\x00\x00", "\x08\x00\x00\x00", "\xFF\xFF\xFF\xFF", "\x00\x00\x10\x00"}) {
    FrameDecoder decoder(Sender::Worker);
    const auto status = decoder.feed(std::string_view(head, 4));
    EXPECT_FALSE(status);
    EXPECT_FALSE(decoder.next());
    EXPECT_FALSE(decoder.feed("more"));  // no way back
  }
  FrameDecoder large(Sender::Gateway);
  EXPECT_TRUE(large.feed(std::string_view("\x00\x00\x10\x00", 4)));  // fine from the gateway
  FrameDecoder largest(Sender::Worker);
  const auto frame =
      encode_frame({FrameType::Event, 1, std::string(kFrameMaxFromWorker - kHeaderBytes, 'x')});
  ASSERT_TRUE(frame);
  EXPECT_TRUE(largest.feed(*frame));
  EXPECT_TRUE(largest.next());
  EXPECT_FALSE(encode_frame({FrameType::Event, 1, std::string(kFrameMaxFromWorker, 'x')}));
  EXPECT_TRUE(encode_frame({FrameType::Prepare, 1, std::string(kFrameMaxFromWorker, 'x')}));
}

TEST(Frames, TypesAreCheckedAgainstTheirSender) {
  const auto from_gateway = *encode_frame({FrameType::Start, 1, {}});
  const auto from_worker = *encode_frame({FrameType::Pong, 1, {}});
  EXPECT_TRUE(FrameDecoder(Sender::Gateway).feed(from_gateway));
  EXPECT_FALSE(FrameDecoder(Sender::Gateway).feed(from_worker));
  EXPECT_FALSE(FrameDecoder(Sender::Worker).feed(from_gateway));
  for (int type = 0; type < 256; ++type) {
    std::string bytes = from_worker;
    bytes[4] = static_cast<char>(type);
    const bool known = type >= 1 && type <= 7;
    EXPECT_EQ(FrameDecoder(Sender::Worker).feed(bytes).has_value(), known) << type;
  }
}

TEST(Frames, ABadFrameBehindAGoodOneShowsInTheStatus) {
  FrameDecoder decoder(Sender::Worker);
  const std::string bytes = *encode_frame({FrameType::Pong, 1, {}}) + std::string(13, '\xFF');
  EXPECT_TRUE(decoder.feed(bytes));
  EXPECT_TRUE(decoder.next());
  EXPECT_FALSE(decoder.next());
  EXPECT_FALSE(decoder.status());
}

TEST(Frames, ACutIsSeen) {
  FrameDecoder decoder(Sender::Worker);
  ASSERT_TRUE(decoder.feed(encode_frame({FrameType::Pong, 1, {}})->substr(0, 7)));
  EXPECT_FALSE(decoder.next());
  EXPECT_TRUE(decoder.partial());
}

}  // namespace
}  // namespace fh::engine::protocol
