// Placing, sharing and parking on a memory that only remembers tokens: what it holds after any
// operation must be the beginning of the prompt that was asked for.
#include "engine/llama/kv_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "engine/llama/step_plan.h"

namespace fh::engine::llama {
namespace {

constexpr std::uint32_t kChunk = 8;

class FakeMemory final : public KvMemory {
 public:
  FakeMemory(std::uint32_t cells, std::uint32_t sequences)
      : ledger_(cells, sequences), held_(sequences), pieces_(sequences) {}
  std::uint32_t sequences_max() const override { return static_cast<std::uint32_t>(held_.size()); }
  std::uint32_t length(SequenceId s) const override { return ledger_.length(s); }
  std::uint32_t cells_used() const override { return ledger_.used(); }
  std::uint32_t cells_max() const override { return ledger_.cells_max(); }
  base::Status fork(SequenceId from, SequenceId to, std::uint32_t n) override {
    if (!ledger_.fork(from, to, n)) return base::fail(base::Code::InvalidArgument, "fork");
    auto& source = tokens(from);
    tokens(to).assign(source.begin(), source.begin() + n);
    pieces(to).assign(pieces(from).begin(), pieces(from).begin() + n);
    ++forks;
    return {};
  }
  base::Status trim(SequenceId s, std::uint32_t n) override {
    if (!ledger_.trim(s, n)) return base::fail(base::Code::InvalidArgument, "trim");
    tokens(s).resize(n);
    pieces(s).resize(n);
    return {};
  }
  void clear_all() override {
    ledger_.clear();
    for (auto& sequence : held_) sequence.clear();
    for (auto& sequence : pieces_) sequence.clear();
    ++clears;
  }
  base::Result<BlockData> save(SequenceId s, std::uint32_t begin, std::uint32_t end) override {
    ++saves;
    if (end > tokens(s).size()) return base::fail(base::Code::InvalidArgument, "save");
    const std::size_t count = end - begin;
    BlockData data(count * kCellBytes);
    std::memcpy(data.data(), tokens(s).data() + begin, count * sizeof(Token));
    std::memcpy(data.data() + count * sizeof(Token), pieces(s).data() + begin,
                count * sizeof(Piece));
    return data;
  }
  base::Status restore(SequenceId s, const BlockData& data, std::uint32_t begin,
                       std::uint32_t end) override {
    if (damaged_from <= begin) return base::fail(base::Code::DataLoss, "damaged");
    const std::size_t count = end - begin;
    if (begin != length(s) || data.size() != count * kCellBytes) {
      return base::fail(base::Code::InvalidArgument, "restore");
    }
    if (!ledger_.append(s, end - begin)) return base::fail(base::Code::ResourceExhausted, "cells");
    tokens(s).resize(end);
    pieces(s).resize(end);
    std::memcpy(tokens(s).data() + begin, data.data(), count * sizeof(Token));
    std::memcpy(pieces(s).data() + begin, data.data() + count * sizeof(Token),
                count * sizeof(Piece));
    return {};
  }
  // What computing does.
  bool compute(SequenceId s, std::span<const Token> fresh) {
    const std::uint32_t begin = length(s);
    const auto end = begin + static_cast<std::uint32_t>(fresh.size());
    if (!ledger_.append(s, end - begin)) return false;
    tokens(s).insert(tokens(s).end(), fresh.begin(), fresh.end());
    pieces(s).resize(end, {begin, end});
    return true;
  }
  // For every token the piece, begin to end, in which it was computed.
  using Piece = std::pair<std::uint32_t, std::uint32_t>;
  std::vector<Piece>& pieces(SequenceId s) { return pieces_[static_cast<std::size_t>(s)]; }
  std::vector<Token>& tokens(SequenceId s) { return held_[static_cast<std::size_t>(s)]; }

  int forks = 0;
  int saves = 0;
  int clears = 0;
  std::uint32_t damaged_from = ~0U;

 private:
  CellLedger ledger_;
  static constexpr std::size_t kCellBytes = sizeof(Token) + sizeof(Piece);
  std::vector<std::vector<Token>> held_;
  std::vector<std::vector<Piece>> pieces_;
};

std::vector<Token> text(Token first, std::size_t count) {
  std::vector<Token> out(count);
  std::iota(out.begin(), out.end(), first);
  return out;
}

struct KvPoolTest : testing::Test {
  FakeMemory memory{400, 4};
  KvPool pool{memory, {kChunk, 1'000'000, ReuseKind::BlocksAndForks}};

  KvPool::Placement place(const std::string& tenant, const std::vector<Token>& prompt) {
    auto placed = pool.place(tenant, prompt);
    EXPECT_TRUE(placed.has_value());
    EXPECT_EQ(memory.length(placed->sequence), placed->cached + placed->restored);
    expect_prefix(placed->sequence, prompt);
    return *placed;
  }
  // The sequence must hold exactly the beginning of `all`.
  void expect_prefix(SequenceId sequence, const std::vector<Token>& all) {
    const auto& held = memory.tokens(sequence);
    ASSERT_LE(held.size(), all.size());
    EXPECT_TRUE(std::equal(held.begin(), held.end(), all.begin()));
  }
  void compute_to(SequenceId sequence, const std::vector<Token>& all, std::uint32_t end) {
    const std::uint32_t at = memory.length(sequence);
    ASSERT_TRUE(memory.compute(sequence, std::span(all).subspan(at, end - at)));
    pool.advance(sequence, std::span(all).first(end));
  }
  // Runs a whole request and gives its sequence up.
  KvPool::Placement run(const std::string& tenant, const std::vector<Token>& prompt) {
    const auto placed = place(tenant, prompt);
    compute_to(placed.sequence, prompt, static_cast<std::uint32_t>(prompt.size()));
    pool.release(placed.sequence, prompt);
    return placed;
  }
};

TEST_F(KvPoolTest, TheSecondTimeOnlyTheTailIsComputed) {
  const auto prompt = text(1, 45);
  EXPECT_EQ(run("t", prompt).restored, 0U);
  const auto again = place("t", prompt);
  EXPECT_EQ(again.restored, 40U);
  EXPECT_EQ(again.cached, 0U);
}

TEST_F(KvPoolTest, AtLeastOneTokenIsLeftToCompute) {
  const auto prompt = text(1, 40);
  run("t", prompt);
  EXPECT_EQ(place("t", prompt).restored,
            32U);  // 40 is a boundary, but the last token's logits are needed
}

TEST_F(KvPoolTest, ALaterTurnBuildsOnTheWholeConversation) {
  auto conversation = text(1, 45);
  run("t", conversation);
  const auto more = text(500, 30);
  conversation.insert(conversation.end(), more.begin(), more.end());
  EXPECT_EQ(place("t", conversation).restored, 40U);
}

TEST_F(KvPoolTest, ARunningSequenceIsForkedNotCopied) {
  const auto prompt = text(1, 45);
  const auto first = place("t", prompt);
  compute_to(first.sequence, prompt, 45);
  const std::uint32_t before = memory.cells_used();
  const auto second = place("t", prompt);
  EXPECT_EQ(second.cached, 40U);
  EXPECT_EQ(second.restored, 0U);
  EXPECT_EQ(memory.cells_used(), before);
  // The donor may go first.
  pool.release(first.sequence, prompt);
  expect_prefix(second.sequence, prompt);
  EXPECT_EQ(memory.length(second.sequence), 40U);
}

TEST_F(KvPoolTest, TenantsShareNothing) {
  const auto prompt = text(1, 45);
  run("a", prompt);
  EXPECT_EQ(place("b", prompt).restored, 0U);
  const auto running = place("a", prompt);
  compute_to(running.sequence, prompt, 45);
  EXPECT_EQ(place("c", prompt).cached, 0U);
}

TEST_F(KvPoolTest, ACancelledPrefillIsNotLost) {
  const auto prompt = text(1, 100);
  const auto placed = place("t", prompt);
  compute_to(placed.sequence, prompt, 24);
  pool.release(placed.sequence, std::span(prompt).first(24));
  EXPECT_EQ(place("t", prompt).restored, 24U);
}

TEST_F(KvPoolTest, GeneratedTokensAreStoredToo) {
  auto all = text(1, 20);
  const auto placed = place("t", all);
  compute_to(placed.sequence, all, 20);
  for (Token t = 900; t < 915; ++t) {
    all.push_back(t);
    compute_to(placed.sequence, all, static_cast<std::uint32_t>(all.size()));
  }
  EXPECT_EQ(pool.release(placed.sequence, all), 32U);
  all.push_back(7);
  EXPECT_EQ(place("t", all).restored, 32U);
}

TEST_F(KvPoolTest, TwoAtOnceWithOnePrefixComputeItOnce) {
  const auto prompt = text(1, 60);
  const auto first = place("t", prompt);
  const auto second = place("t", prompt);
  compute_to(first.sequence, prompt, 24);
  const auto more = pool.extend(second.sequence, prompt);
  EXPECT_EQ(more.cached + more.restored, 24U);
  expect_prefix(second.sequence, prompt);
  compute_to(first.sequence, prompt, 48);
  EXPECT_EQ(pool.extend(second.sequence, prompt).restored, 24U);
  EXPECT_EQ(memory.length(second.sequence), 48U);
  EXPECT_EQ(pool.extend(second.sequence, prompt).restored, 0U);
}

TEST_F(KvPoolTest, ASequenceSetAsideComesBackWhole) {
  const auto all = text(1, 45);
  const auto placed = place("t", all);
  compute_to(placed.sequence, all, 45);
  const auto parked = pool.park(placed.sequence, all);
  EXPECT_EQ(memory.cells_used(), 0U);
  const auto back = pool.unpark("t", all, parked);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(memory.length(back->sequence), 45U);
  expect_prefix(back->sequence, all);
}

TEST_F(KvPoolTest, SetAsideInTheMiddleOfItsPrompt) {
  const auto all = text(1, 90);
  const auto placed = place("t", all);
  compute_to(placed.sequence, all, 27);
  const auto parked = pool.park(placed.sequence, std::span(all).first(27));
  const auto back = pool.unpark("t", all, parked);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(memory.length(back->sequence), 27U);
  expect_prefix(back->sequence, all);
}

TEST_F(KvPoolTest, ADamagedBlockShortensTheReuseAndIsForgotten) {
  const auto prompt = text(1, 45);
  run("t", prompt);
  memory.damaged_from = 16;
  const auto placed = place("t", prompt);
  EXPECT_EQ(placed.restored, 16U);
  memory.damaged_from = ~0U;
  EXPECT_EQ(pool.tree().stored("t", prompt), 16U);
  compute_to(placed.sequence, prompt, 45);
  EXPECT_EQ(pool.tree().stored("t", prompt), 40U);
}

TEST_F(KvPoolTest, WithoutRunningSequencesTheMemoryStartsAfresh) {
  const auto prompt = text(1, 20);
  run("t", prompt);
  const int before = memory.clears;
  const auto first = place("t", prompt);
  EXPECT_EQ(memory.clears, before + 1);
  compute_to(first.sequence, prompt, 20);
  place("t", prompt);
  EXPECT_EQ(memory.clears, before + 1);
}

TEST_F(KvPoolTest, RunsOutOfSequencesWithAnError) {
  const auto prompt = text(1, 10);
  for (int i = 0; i < 4; ++i) place("t", prompt);
  EXPECT_FALSE(pool.has_free_sequence());
  const auto refused = pool.place("t", prompt);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::ResourceExhausted);
}

TEST(KvPool, KindsThatCannotReuseNeverDo) {
  FakeMemory memory(400, 2);
  KvPool pool(memory, {kChunk, 1'000'000, ReuseKind::None});
  const auto prompt = text(1, 45);
  for (int i = 0; i < 2; ++i) {
    const auto placed = pool.place("t", prompt);
    ASSERT_TRUE(placed.has_value());
    EXPECT_EQ(memory.length(placed->sequence), 0U);
    ASSERT_TRUE(memory.compute(placed->sequence, prompt));
    pool.release(placed->sequence, prompt);
  }
  EXPECT_EQ(memory.saves, 0);
  EXPECT_EQ(memory.forks, 0);
}

TEST_F(KvPoolTest, ARepeatedPromptComputesItsLastTokenOnly) {
  for (const std::uint32_t size : {2U, 5U, 8U, 9U, 10U, 16U, 17U, 45U}) {
    const auto prompt = text(static_cast<Token>(1000 * size), size);
    const auto first = place("t", prompt);
    compute_to(first.sequence, prompt, size - 1);
    EXPECT_EQ(pool.keep_end(first.sequence, prompt), size - 1);
    compute_to(first.sequence, prompt, size);
    pool.release(first.sequence, prompt);
    EXPECT_EQ(pool.known("t", prompt), size - 1);
    EXPECT_EQ(pool.known("u", prompt), 0U);
    auto again = place("t", prompt);
    EXPECT_EQ(again.restored, size - 1) << size;
    pool.release(again.sequence, std::span(prompt).first(size - 1));
    // A longer one computes that stretch in another shape: whole blocks only.
    auto longer = prompt;
    longer.push_back(7);
    again = place("t", longer);
    EXPECT_EQ(again.restored, (size - 1) / kChunk * kChunk) << size;
    pool.release(again.sequence, std::span(longer).first(again.restored));
  }
}

TEST_F(KvPoolTest, TheEndIsTakenOverInTheMiddleToo) {
  const auto prompt = text(1, 30);
  const auto second = place("t", prompt);
  const auto first = place("t", prompt);
  compute_to(first.sequence, prompt, 29);
  pool.keep_end(first.sequence, prompt);
  const auto more = pool.extend(second.sequence, prompt);
  EXPECT_EQ(more.cached + more.restored, 29U);
  expect_prefix(second.sequence, prompt);
  EXPECT_EQ(pool.extend(second.sequence, prompt).restored, 0U);
}

TEST_F(KvPoolTest, ADamagedEndIsForgotten) {
  const auto prompt = text(1, 45);
  const auto first = place("t", prompt);
  compute_to(first.sequence, prompt, 44);
  pool.keep_end(first.sequence, prompt);
  pool.release(first.sequence, std::span(prompt).first(44));
  memory.damaged_from = 40;
  EXPECT_EQ(place("t", prompt).restored, 40U);
  memory.damaged_from = ~0U;
  EXPECT_FALSE(pool.tree().has_end("t", std::span(prompt).first(44)));
  EXPECT_EQ(pool.tree().stored("t", prompt), 40U);
}

// The promise behind equal answers: whatever was reused, every token of a prompt that runs alone
// was computed in the very piece in which a run without any store computes it.
TEST(KvPool, EveryTokenWasComputedInThePieceOfAColdRun) {
  std::mt19937 rng(17);
  FakeMemory memory(400, 2);
  KvPool pool(memory, {kChunk, 40'000, ReuseKind::BlocksAndForks});
  std::vector<std::vector<Token>> asked;
  std::uint64_t reused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Token> prompt;
    if (!asked.empty() && rng() % 3 != 0) prompt = asked[rng() % asked.size()];
    if (rng() % 2 == 0 && !prompt.empty()) prompt.resize(1 + rng() % prompt.size());
    const std::size_t more = prompt.empty() || rng() % 2 == 0 ? 1 + rng() % 40 : 0;
    for (std::size_t i = 0; i < more; ++i) prompt.push_back(static_cast<Token>(rng() % 2));
    if (prompt.size() > 150) prompt.resize(150);
    asked.push_back(prompt);
    const auto end = static_cast<std::uint32_t>(prompt.size() - 1);
    const auto placed = pool.place("t", prompt);
    ASSERT_TRUE(placed.has_value());
    reused += placed->restored;
    std::uint32_t at = memory.length(placed->sequence);
    const bool computes = at < end;
    while (at < end) {
      const std::uint32_t cut = piece_end(at, end, kChunk);
      ASSERT_TRUE(memory.compute(placed->sequence, std::span(prompt).subspan(at, cut - at)));
      pool.advance(placed->sequence, std::span(prompt).first(cut));
      at = cut;
    }
    if (computes) pool.keep_end(placed->sequence, prompt);
    ASSERT_TRUE(memory.compute(placed->sequence, std::span(prompt).last(1)));
    const auto& pieces = memory.pieces(placed->sequence);
    ASSERT_EQ(pieces.size(), prompt.size());
    for (std::uint32_t i = 0; i < end; ++i) {
      ASSERT_EQ(pieces[i], std::pair(i / kChunk * kChunk, piece_end(i, end, kChunk))) << i;
    }
    pool.release(placed->sequence, prompt);
  }
  EXPECT_GT(reused, 10'000U);
}

TEST(KvPool, RandomRequestsAlwaysHoldTheirOwnTokens) {
  std::mt19937 rng(5);
  FakeMemory memory(600, 5);
  KvPool pool(memory, {kChunk, 9'000, ReuseKind::BlocksAndForks});
  struct Live {
    SequenceId sequence;
    std::string tenant;
    std::vector<Token> prompt;
  };
  std::vector<Live> live;
  for (int round = 0; round < 4000; ++round) {
    const std::size_t pick = live.empty() ? 0 : rng() % live.size();
    if (live.size() < 5 && rng() % 3 == 0) {
      Live fresh;
      fresh.tenant = std::string(1, static_cast<char>('a' + rng() % 2));
      const std::size_t length = 1 + rng() % 100;
      for (std::size_t i = 0; i < length; ++i) {
        fresh.prompt.push_back(
            static_cast<Token>(fresh.tenant[0] * 100 + (i / 20) * (rng() % 50 == 0 ? 3U : 1U)));
      }
      const auto placed = pool.place(fresh.tenant, fresh.prompt);
      ASSERT_TRUE(placed.has_value());
      fresh.sequence = placed->sequence;
      live.push_back(std::move(fresh));
    } else if (!live.empty() && rng() % 4 != 0) {
      Live& request = live[pick];
      pool.extend(request.sequence, request.prompt);
      const std::uint32_t at = memory.length(request.sequence);
      const auto left = static_cast<std::uint32_t>(request.prompt.size()) - at;
      if (left == 0) continue;
      const std::uint32_t last = at + left - 1;
      const std::uint32_t end = at < last ? piece_end(at, last, kChunk) : at + 1;
      if (memory.compute(request.sequence, std::span(request.prompt).subspan(at, end - at))) {
        pool.advance(request.sequence, std::span(request.prompt).first(end));
        if (end + 1 == request.prompt.size()) pool.keep_end(request.sequence, request.prompt);
      }
    } else if (!live.empty()) {
      const std::uint32_t held = memory.length(live[pick].sequence);
      pool.release(live[pick].sequence, std::span(live[pick].prompt).first(held));
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(pick));
    }
    for (const Live& request : live) {
      const auto& held = memory.tokens(request.sequence);
      ASSERT_LE(held.size(), request.prompt.size());
      ASSERT_TRUE(std::equal(held.begin(), held.end(), request.prompt.begin()));
    }
  }
}

}  // namespace
}  // namespace fh::engine::llama
