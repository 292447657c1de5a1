// The intake journal: what was appended is found again after any crash, in order and once; what was
// synced survives power cuts that keep any part of the rest.

#include "ledger/store/journal/journal_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "ledger/open.h"
#include "ledger/store/faulty.h"
#include "ledger/store/journal/journal_frames.h"
#include "ledger/store/journal/memory_file.h"
#include "ledger/store/journal/record_codec.h"
#include "ledger/store/memory.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using testing::admission;
using testing::settlement;

constexpr std::uint64_t kFileBytes = 16 * 1024;

std::string id_of(std::size_t number) {
  return "req_" + std::to_string(number);
}

std::vector<Outcome> append(Store& store, std::vector<Record> records) {
  auto outcomes = store.append(records);
  EXPECT_TRUE(outcomes) << outcomes.error().text();
  return outcomes.value_or(std::vector<Outcome>());
}

std::unique_ptr<JournalStore> opened(Store& inner, JournalFile& file) {
  auto store = JournalStore::open(inner, file);
  EXPECT_TRUE(store) << store.error().text();
  return store ? *std::move(store) : nullptr;
}

TEST(RecordCodec, GivesBackWhatWasEncoded) {
  base::SeededRandom random(7);
  std::string bytes;
  std::vector<Record> records;
  for (std::size_t i = 0; i < 200; ++i) {
    if (random.below(2) == 0) {
      records.emplace_back(testing::random_admission(random, id_of(i)));
    } else {
      records.emplace_back(testing::random_settlement(random, id_of(i)));
    }
    encode_record(records.back(), bytes);
  }
  const auto found = decode_records(bytes);
  ASSERT_TRUE(found) << found.error().text();
  ASSERT_EQ(found->size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].index(), (*found)[i].index());
    if (const auto* a = std::get_if<Admission>(&records[i])) {
      EXPECT_TRUE(testing::same(*a, std::get<Admission>((*found)[i])));
    } else {
      EXPECT_TRUE(
          testing::same(std::get<Settlement>(records[i]), std::get<Settlement>((*found)[i])));
    }
  }
}

TEST(RecordCodec, RefusesWhatIsCutOrUnknown) {
  std::string bytes;
  encode_record(admission("req_1"), bytes);
  encode_record(settlement("req_1"), bytes);
  std::string first;
  encode_record(admission("req_1"), first);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto found = decode_records(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(found.has_value(), size == first.size()) << size;
  }
  bytes[0] = 9;
  EXPECT_FALSE(decode_records(bytes));
}

TEST(JournalStore, KnowsRepeatsAndOrphansLikeTheStoreBehindIt) {
  MemoryStore inner;
  MemoryJournalFile file(kFileBytes);
  const auto store = opened(inner, file);
  using O = Outcome;
  EXPECT_EQ(append(*store, {admission("a"), admission("b"), admission("a")}),
            (std::vector{O::Written, O::Written, O::Repeated}));
  EXPECT_EQ(append(*store, {settlement("a"), settlement("a")}),
            (std::vector{O::Written, O::Repeated}));
  EXPECT_EQ(append(*store, {admission("a")}), (std::vector{O::Repeated}));
  EXPECT_TRUE(inner.rows().empty());
  ASSERT_TRUE(store->maintain(false));
  EXPECT_EQ(append(*store, {settlement("a")}), (std::vector{O::Repeated}));
  EXPECT_EQ(append(*store, {settlement("nobody"), settlement("b")}),
            (std::vector{O::Orphan, O::Written}));
  EXPECT_EQ(append(*store, {admission("c"), settlement("c")}),
            (std::vector{O::Written, O::Written}));
  ASSERT_TRUE(store->drain());
  ASSERT_EQ(inner.rows().size(), 3U);
  for (const Row& row : inner.rows()) EXPECT_TRUE(row.settlement.has_value());
  EXPECT_EQ(inner.rows()[0].admission.request_id, "a");
}

TEST(JournalStore, AStartFindsWhatAKilledProcessHadWritten) {
  MemoryStore inner;
  MemoryJournalFile file(kFileBytes);
  auto store = opened(inner, file);
  append(*store, {admission("a")});
  append(*store, {admission("b"), settlement("a")});
  store.reset();  // no close()
  store = opened(inner, file);
  ASSERT_EQ(inner.rows().size(), 2U);
  EXPECT_TRUE(inner.rows()[0].settlement.has_value());
  const auto open = store->load_unsettled();
  ASSERT_TRUE(open);
  ASSERT_EQ(open->size(), 1U);
  EXPECT_EQ(open->front().request_id, "b");
  EXPECT_EQ(append(*store, {settlement("b")}), (std::vector{Outcome::Written}));
  ASSERT_TRUE(store->close());
  EXPECT_EQ(read_journal(file)->records, "");
}

TEST(JournalStore, PassesThroughItsHalvesWhileNobodyMoves) {
  MemoryStore inner;
  MemoryJournalFile file(kFileBytes);
  auto store = opened(inner, file);
  for (std::size_t i = 0; i < 200; ++i) {
    append(*store, {admission(id_of(i))});
    append(*store, {settlement(id_of(i))});
  }
  EXPECT_GT(inner.rows().size(), 150U);  // a full journal moves by itself
  EXPECT_LT(inner.rows().size(), 200U);
  store.reset();
  store = opened(inner, file);
  ASSERT_EQ(inner.rows().size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(inner.rows()[i].admission.request_id, id_of(i));
    EXPECT_TRUE(inner.rows()[i].settlement.has_value());
  }
}

// Every row is found, whatever sizes follow each other, and wherever the process was killed.
TEST(JournalStore, AFileOfAnotherSizeIsReadByItsOwn) {
  for (std::size_t kept = 1; kept <= 120; kept += 7) {
    MemoryStore inner;
    MemoryJournalFile file(kFileBytes);
    std::size_t next = 0;
    for (const std::uint64_t bytes : {kFileBytes, kFileBytes * 3, kFileBytes / 2, kFileBytes}) {
      file.open_again(bytes);
      const auto store = opened(inner, file);
      ASSERT_TRUE(store);
      ASSERT_EQ(inner.rows().size(), next) << bytes;
      for (std::size_t i = 0; i < kept; ++i) append(*store, {admission(id_of(next++))});
    }
    ASSERT_TRUE(opened(inner, file)->close());
    ASSERT_EQ(inner.rows().size(), next);
    for (std::size_t i = 0; i < next; ++i) {
      ASSERT_EQ(inner.rows()[i].admission.request_id, id_of(i));
    }
  }
}

// Killed while the file is laid out anew, after any write or sync of that.
TEST(JournalStore, AChangeOfSizeCanBeCutShortAnywhere) {
  for (const std::uint64_t bytes : {kFileBytes * 2, kFileBytes / 2}) {
    for (std::uint64_t nth = 1; nth <= 4; ++nth) {
      for (const bool power : {false, true}) {
        base::SeededRandom random(nth);
        MemoryStore inner;
        MemoryJournalFile file(kFileBytes);
        auto store = opened(inner, file);
        for (std::size_t i = 0; i < 60; ++i) append(*store, {admission(id_of(i))});
        ASSERT_TRUE(store->sync());
        file.open_again(bytes);
        file.fail_write(nth);
        EXPECT_FALSE(JournalStore::open(inner, file));
        file.heal();
        if (power) file.crash_power(random);
        file.open_again(kFileBytes * 3);
        store = opened(inner, file);
        ASSERT_TRUE(store);
        append(*store, {admission("last")});
        store = opened(inner, file);
        ASSERT_EQ(inner.rows().size(), 61U);
        EXPECT_EQ(inner.rows().back().admission.request_id, "last");
      }
    }
  }
}

// What the first releases left behind says nothing of its size.
TEST(JournalStore, AFileThatDoesNotSayItsSizeIsOfTheFirst) {
  constexpr std::uint64_t kFirstBytes = 16 * 1024 * 1024;
  MemoryStore inner;
  MemoryJournalFile file(kFirstBytes);
  std::size_t next = 0;
  auto store = opened(inner, file);
  for (; next < 4000; ++next) {
    append(*store, {admission(id_of(2 * next)), admission(id_of(2 * next + 1))});
    append(*store, {settlement(id_of(2 * next)), settlement(id_of(2 * next + 1))});
  }
  ASSERT_TRUE(file.write(kSizeOffset, std::string(24, '\0')));
  file.open_again(kFirstBytes / 4);
  store = opened(inner, file);
  ASSERT_EQ(inner.rows().size(), 2 * next);
  EXPECT_TRUE(inner.rows().back().settlement.has_value());
}

TEST(JournalFile, IsNeverMadeShorter) {
  char name[] = "/tmp/freehold-journal-XXXXXX";
  const std::filesystem::path dir = ::mkdtemp(name);
  const std::string path = dir / "intake";
  MemoryStore inner;
  std::size_t next = 0;
  for (const std::uint64_t bytes : {kFileBytes, kFileBytes * 4, kFileBytes}) {
    auto file = open_journal_file(path, bytes);
    ASSERT_TRUE(file) << file.error().text();
    const auto store = JournalStore::open(inner, *std::move(file));
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_EQ(inner.rows().size(), next) << bytes;
    for (std::size_t i = 0; i < 30; ++i) append(**store, {admission(id_of(next++))});
  }
  EXPECT_EQ(std::filesystem::file_size(path), kFileBytes * 4);
  std::filesystem::remove_all(dir);
}

TEST(JournalStore, ATransactionLargerThanTheJournalGoesThrough) {
  MemoryStore inner;
  MemoryJournalFile file(kFileBytes);
  auto store = opened(inner, file);
  append(*store, {admission("early")});
  std::vector<Record> many;
  for (std::size_t i = 0; i < 100; ++i) many.emplace_back(admission(id_of(i)));
  many.emplace_back(settlement(id_of(3)));
  EXPECT_EQ(append(*store, many).back(), Outcome::Written);
  EXPECT_EQ(inner.rows().size(), 101U);
  EXPECT_EQ(inner.rows().front().admission.request_id, "early");
  ASSERT_TRUE(store->sync());
  EXPECT_EQ(inner.unsynced_commits(), 0U);
  EXPECT_EQ(append(*store, {settlement(id_of(3)), settlement(id_of(4))}),
            (std::vector{Outcome::Repeated, Outcome::Written}));
}

TEST(JournalStore, AFailureIsFinal) {
  MemoryStore inner;
  for (const bool sync : {false, true}) {
    MemoryJournalFile file(kFileBytes);
    const auto store = opened(inner, file);
    if (sync) {
      file.fail_sync(1);
      EXPECT_FALSE(store->sync());
    } else {
      file.fail_write(1);
      EXPECT_FALSE(store->append(std::vector<Record>{admission("x")}));
    }
    file.heal();
    EXPECT_FALSE(store->append(std::vector<Record>{admission("y")}));
    EXPECT_FALSE(store->sync());
    EXPECT_FALSE(store->maintain(true));
  }
  MemoryJournalFile file(kFileBytes);
  FaultyStore faulty(inner);
  const auto store = opened(faulty, file);
  append(*store, {admission("z")});
  faulty.fail_append(1);
  EXPECT_FALSE(store->drain());
  EXPECT_FALSE(store->append(std::vector<Record>{settlement("z")}));
  faulty.heal();
  const auto again = opened(faulty, file);
  EXPECT_EQ(inner.rows().back().admission.request_id, "z");
}

// Every power cut keeps what was synced, loses only an end of the rest, and never lets a settlement
// stand without its admission.
TEST(JournalStore, PowerCutsTakeOnlyAnEndOfWhatWasNotSynced) {
  std::size_t lost_some = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    base::SeededRandom random(seed);
    MemoryStore inner;
    MemoryJournalFile file(12 * 1024);
    auto store = opened(inner, file);
    std::vector<std::string> written;  // in order: "a3" admission, "s3" settlement
    std::size_t durable = 0;
    std::size_t next = 0;
    std::set<std::size_t> open;
    const std::uint64_t steps = 20 + random.below(150);
    for (std::uint64_t step = 0; step < steps; ++step) {
      switch (random.below(6)) {
        case 0:
        case 1:
          append(*store, {admission(id_of(next))});
          written.push_back("a" + id_of(next));
          open.insert(next++);
          break;
        case 2:
          if (open.empty()) break;
          append(*store, {settlement(id_of(*open.begin()))});
          written.push_back("s" + id_of(*open.begin()));
          open.erase(open.begin());
          break;
        case 3: ASSERT_TRUE(store->drain()); break;
        case 4: ASSERT_TRUE(store->maintain(false)); break;
        case 5:
          ASSERT_TRUE(store->sync());
          durable = written.size();
          break;
      }
    }
    store.reset();
    inner.crash_power(random);
    file.crash_power(random);
    store = opened(inner, file);
    std::set<std::string> found;
    for (const Row& row : inner.rows()) {
      found.insert("a" + row.admission.request_id);
      if (row.settlement) found.insert("s" + row.admission.request_id);
    }
    if (found.size() < written.size()) ++lost_some;
    ASSERT_GE(found.size(), durable) << "seed " << seed;
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_TRUE(found.contains(written[i])) << "seed " << seed << ": " << written[i];
    }
  }
  EXPECT_GT(lost_some, 100U);  // the cuts did cut
}

// Whatever the file holds, a start either works or says why, and takes no record twice.
TEST(JournalStore, DamagedFilesAreReadUpToTheDamage) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    base::SeededRandom random(seed);
    MemoryStore inner;
    MemoryJournalFile file(12 * 1024);
    auto store = opened(inner, file);
    for (std::size_t i = 0; i < 12; ++i) append(*store, {admission(id_of(i))});
    store.reset();
    MemoryStore fresh;
    for (int hits = 0; hits < 3; ++hits) {
      const auto byte = static_cast<char>(random.below(256));
      ASSERT_TRUE(file.write(random.below(12 * 1024), std::string_view(&byte, 1)));
    }
    auto again = JournalStore::open(fresh, file);
    ASSERT_TRUE(again) << again.error().text();
    for (std::size_t i = 0; i < fresh.rows().size(); ++i) {
      EXPECT_EQ(fresh.rows()[i].admission.request_id, id_of(i));
    }
  }
}

// What waits to be moved is bounded: long before a half is full, moving presses.
TEST(JournalStore, MovingPressesBeforeAHalfIsFull) {
  MemoryStore inner;
  MemoryJournalFile file(12 * 1024);
  auto store = opened(inner, file);
  append(*store, {admission(id_of(0))});
  EXPECT_TRUE(store->maintenance_due(false));
  EXPECT_FALSE(store->maintenance_pressing());
  std::size_t count = 1;
  while (count < 100 && !store->maintenance_pressing()) append(*store, {admission(id_of(count++))});
  EXPECT_TRUE(store->maintenance_pressing());
  EXPECT_TRUE(inner.rows().empty());  // nobody had to wait for it so far
  ASSERT_TRUE(store->maintain(false));
  EXPECT_FALSE(store->maintenance_pressing());
  EXPECT_EQ(inner.rows().size(), count);
}

TEST(OpenLedger, ReadsWhatWasJustWrittenAndFindsItAfterAKill) {
  const testing::TempDir dir;
  const std::string path = dir.file("ledger.db");
  {
    auto ledger = open_ledger(path);
    ASSERT_TRUE(ledger) << ledger.error().text();
    append(*ledger->store, {admission("req_1")});
    const auto row = ledger->reader->row("req_1");
    ASSERT_TRUE(row) << row.error().text();
    EXPECT_FALSE(row->settlement.has_value());
    append(*ledger->store, {settlement("req_1"), admission("req_2")});
    EXPECT_FALSE(open_ledger(path));  // one process at a time
    const auto copy = std::filesystem::path(path).parent_path() / "copy.db.intake";
    std::filesystem::copy_file(path + ".intake", copy);
  }
  auto copied = open_ledger(dir.file("copy.db"));  // the journal alone, as after a kill
  ASSERT_TRUE(copied) << copied.error().text();
  ASSERT_TRUE(copied->reader->row("req_2"));
  EXPECT_TRUE(copied->reader->row("req_1")->settlement.has_value());
}

}  // namespace
}  // namespace fh::ledger
