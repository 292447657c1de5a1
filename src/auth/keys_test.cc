// Goal: a key works from the moment it is made until the moment it is revoked, and nothing else
// works ever; memory and store never disagree. Method: an in-memory store that can be told to fail,
// a manual clock and a seeded random.

#include "auth/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "crypto/hmac.h"

namespace fh::auth {
namespace {

class MemoryStore final : public KeyStore {
 public:
  base::Result<std::vector<KeyRecord>> load_keys() override {
    if (failing) return base::fail(base::Code::Unavailable, "disk gone");
    return records;
  }
  base::Status save_key(const KeyRecord& record) override {
    if (failing) return base::fail(base::Code::Unavailable, "disk gone");
    for (KeyRecord& old : records) {
      if (old.id == record.id) {
        old = record;
        return {};
      }
    }
    records.push_back(record);
    return {};
  }
  std::vector<KeyRecord> records;
  bool failing = false;
};

const std::string kPepper(32, 'p');

class Keys : public ::testing::Test {
 protected:
  std::unique_ptr<KeyTable> open_table(const std::string& pepper = kPepper) {
    return std::make_unique<KeyTable>(store_, base::Secret(pepper), clock_, random_);
  }
  NewKey make(const std::string& name, Role role = Role::Member) {
    auto key = table_->create(name, role, "", "");
    EXPECT_TRUE(key.has_value()) << name;
    return std::move(*key);
  }
  MemoryStore store_;
  base::ManualClock clock_;
  base::SeededRandom random_{1};
  std::unique_ptr<KeyTable> table_ = open_table();
};

TEST_F(Keys, CreateGivesAWorkingKey) {
  auto made = table_->create("ada", Role::Admin, "research", "batch");
  ASSERT_TRUE(made.has_value());
  const std::string& key = made->key.reveal();
  EXPECT_EQ(key.size(), 46U);
  EXPECT_TRUE(key.starts_with("fh-"));
  const auto record = table_->authenticate(key);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->id, made->record.id);
  EXPECT_TRUE(record->id.starts_with("key_"));
  EXPECT_EQ(record->name, "ada");
  EXPECT_EQ(record->role, Role::Admin);
  EXPECT_EQ(record->project, "research");
  EXPECT_EQ(record->workload, "batch");
  EXPECT_EQ(record->created_unix_ns, clock_.unix_ns());
  EXPECT_EQ(record->hint, "fh-…" + key.substr(42));
}

TEST_F(Keys, TheStoreNeverSeesTheKey) {
  const NewKey made = make("ada");
  ASSERT_EQ(store_.records.size(), 1U);
  const KeyRecord& saved = store_.records[0];
  EXPECT_EQ(saved.hash_hex, crypto::to_hex(crypto::hmac_sha256(kPepper, made.key.reveal())));
  for (const std::string& text : {saved.id, saved.name, saved.hint, saved.hash_hex}) {
    EXPECT_EQ(text.find(made.key.reveal().substr(3, 20)), std::string::npos);
  }
}

TEST_F(Keys, NothingElseAuthenticates) {
  const NewKey made = make("ada");
  const std::string key = made.key.reveal();
  EXPECT_EQ(table_->authenticate(""), nullptr);
  EXPECT_EQ(table_->authenticate("fh-"), nullptr);
  EXPECT_EQ(table_->authenticate(key.substr(0, 45)), nullptr);
  EXPECT_EQ(table_->authenticate(key + "a"), nullptr);
  EXPECT_EQ(table_->authenticate(" " + key), nullptr);
  EXPECT_EQ(table_->authenticate(key + std::string(1, '\0')), nullptr);
  EXPECT_EQ(table_->authenticate(std::string(10'000'000, 'x')), nullptr);
  EXPECT_EQ(table_->authenticate(made.record.hash_hex), nullptr);
  EXPECT_EQ(table_->authenticate("FH-" + key.substr(3)), nullptr);
  for (std::size_t i = 3; i < key.size(); ++i) {
    std::string wrong = key;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(table_->authenticate(wrong), nullptr) << i;
    wrong[i] = '-';
    EXPECT_EQ(table_->authenticate(wrong), nullptr) << i;
  }
  EXPECT_NE(table_->authenticate(key), nullptr);
}

TEST_F(Keys, RevokedKeysStopAndFreeTheirName) {
  const NewKey first = make("ada");
  const NewKey other = make("bob");
  clock_.advance(std::chrono::seconds(5));
  const auto revoked = table_->revoke("ada");
  ASSERT_TRUE(revoked.has_value());
  EXPECT_EQ(revoked->id, first.record.id);
  EXPECT_EQ(revoked->revoked_unix_ns, clock_.unix_ns());
  EXPECT_EQ(table_->authenticate(first.key.reveal()), nullptr);
  EXPECT_NE(table_->authenticate(other.key.reveal()), nullptr);

  const NewKey second = make("ada");
  EXPECT_NE(table_->authenticate(second.key.reveal()), nullptr);
  EXPECT_EQ(table_->authenticate(first.key.reveal()), nullptr);
  EXPECT_EQ(table_->revoke("ada")->id, second.record.id);
  EXPECT_EQ(table_->revoke("ada").error().code, base::Code::NotFound);
}

TEST_F(Keys, RevokingTwiceKeepsTheFirstTime) {
  const NewKey made = make("ada");
  const auto first = table_->revoke(made.record.id);
  clock_.advance(std::chrono::seconds(9));
  const auto second = table_->revoke(made.record.id);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->revoked_unix_ns, second->revoked_unix_ns);
  EXPECT_EQ(table_->revoke("key_nobody").error().code, base::Code::NotFound);
  EXPECT_EQ(table_->revoke("").error().code, base::Code::NotFound);
}

TEST_F(Keys, NamesAreUniqueAmongLiveKeys) {
  make("ada");
  const auto twice = table_->create("ada", Role::Member, "", "");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, base::Code::AlreadyExists);
  EXPECT_EQ(store_.records.size(), 1U);
}

TEST_F(Keys, LabelsAreChecked) {
  const auto field_of = [&](std::string name, std::string project, std::string workload) {
    const auto made =
        table_->create(std::move(name), Role::Member, std::move(project), std::move(workload));
    return made ? std::string("accepted") : made.error().field;
  };
  EXPECT_EQ(field_of("", "", ""), "name");
  EXPECT_EQ(field_of(std::string(65, 'x'), "", ""), "name");
  EXPECT_EQ(field_of("a\nb", "", ""), "name");
  EXPECT_EQ(field_of("a\xFF", "", ""), "name");
  EXPECT_EQ(field_of("key_abc", "", ""), "name");
  EXPECT_EQ(field_of("ok", std::string(65, 'x'), ""), "project");
  EXPECT_EQ(field_of("ok", "", "a\x7f"), "workload");
  EXPECT_EQ(field_of(std::string(64, 'x'), "", ""), "accepted");
  EXPECT_EQ(field_of("Zoë's laptop", "r&d", "nightly eval"), "accepted");
}

TEST_F(Keys, EverythingSurvivesAReload) {
  const NewKey live = make("ada", Role::Admin);
  const NewKey dead = make("bob");
  ASSERT_TRUE(table_->revoke("bob").has_value());
  const auto again = open_table();
  EXPECT_EQ(again->authenticate(live.key.reveal()), nullptr) << "nothing before load()";
  ASSERT_TRUE(again->load().has_value());
  ASSERT_NE(again->authenticate(live.key.reveal()), nullptr);
  EXPECT_EQ(again->authenticate(live.key.reveal())->role, Role::Admin);
  EXPECT_EQ(again->authenticate(dead.key.reveal()), nullptr);
  EXPECT_FALSE(again->create("ada", Role::Member, "", "").has_value());
  EXPECT_TRUE(again->create("bob", Role::Member, "", "").has_value());
}

TEST_F(Keys, AnotherPepperOpensNothing) {
  const NewKey made = make("ada");
  const auto other = open_table(std::string(32, 'q'));
  ASSERT_TRUE(other->load().has_value());
  EXPECT_EQ(other->authenticate(made.key.reveal()), nullptr);
  EXPECT_EQ(open_table("short")->load().error().code, base::Code::FailedPrecondition);
  EXPECT_EQ(open_table("")->load().error().code, base::Code::FailedPrecondition);
}

TEST_F(Keys, AFailingStoreChangesNothing) {
  const NewKey made = make("ada");
  store_.failing = true;
  EXPECT_EQ(table_->create("bob", Role::Member, "", "").error().code, base::Code::Unavailable);
  EXPECT_EQ(table_->revoke("ada").error().code, base::Code::Unavailable);
  EXPECT_EQ(table_->load().error().code, base::Code::Unavailable);
  EXPECT_NE(table_->authenticate(made.key.reveal()), nullptr);
  EXPECT_EQ(table_->list().size(), 1U);
  store_.failing = false;
  EXPECT_TRUE(table_->create("bob", Role::Member, "", "").has_value());
  EXPECT_TRUE(table_->revoke("ada").has_value());
  EXPECT_EQ(table_->authenticate(made.key.reveal()), nullptr);
}

// Whatever ends the process in between: a key that is saved is one that somebody has.
TEST_F(Keys, AKeyIsPutAwayBeforeItIsSaved) {
  const auto full = table_->create("ada", Role::Admin, "", "", [](const base::Secret&) {
    return base::Status(base::fail(base::Code::ResourceExhausted, "no space left"));
  });
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, base::Code::ResourceExhausted);
  EXPECT_TRUE(store_.records.empty());
  EXPECT_TRUE(table_->list().empty());

  std::string kept;
  const auto made = table_->create("ada", Role::Admin, "", "", [&](const base::Secret& key) {
    EXPECT_TRUE(store_.records.empty());
    kept = key.reveal();
    return base::Status();
  });
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(kept, made->key.reveal());
  EXPECT_NE(table_->authenticate(kept), nullptr);
}

TEST_F(Keys, DamagedRecordsAreNamedAndChangeNothing) {
  const NewKey made = make("ada");
  KeyRecord broken;
  broken.id = "key_broken";
  broken.hash_hex = "zz";
  store_.records.push_back(broken);
  const auto status = table_->load();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::DataLoss);
  EXPECT_NE(status.error().message.find("key_broken"), std::string::npos);
  EXPECT_NE(table_->authenticate(made.key.reveal()), nullptr);
}

TEST_F(Keys, ListIsNewestFirst) {
  for (const char* name : {"first", "second", "third"}) {
    make(name);
    clock_.advance(std::chrono::seconds(1));
  }
  ASSERT_TRUE(table_->revoke("second").has_value());
  std::ranges::reverse(store_.records);
  ASSERT_TRUE(table_->load().has_value());
  const std::vector<KeyRecord> all = table_->list();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "third");
  EXPECT_EQ(all[1].name, "second");
  EXPECT_NE(all[1].revoked_unix_ns, 0);
  EXPECT_EQ(all[2].name, "first");
}

TEST_F(Keys, ReadersAndWritersTogether) {
  const NewKey steady = make("steady");
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto record = table_->authenticate(steady.key.reveal());
        if (record == nullptr || record->name != "steady") {
          ADD_FAILURE() << "the steady key must always work";
          return;
        }
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    const NewKey key = make("k" + std::to_string(i));
    EXPECT_NE(table_->authenticate(key.key.reveal()), nullptr);
    EXPECT_TRUE(table_->revoke(key.record.id).has_value());
    EXPECT_EQ(table_->authenticate(key.key.reveal()), nullptr);
  }
  done = true;
}

}  // namespace
}  // namespace fh::auth
