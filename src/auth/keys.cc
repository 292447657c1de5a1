// The key table: an immutable snapshot behind a mutex that is held only to copy a pointer. Writers
// take turns, save to the store first and publish a new snapshot after, so that a key in memory is
// always a key on disk.
//
// A presented key is found by the first eight bytes of its HMAC; the whole HMAC is then compared in
// constant time. The look-up's own timing tells nothing: without the pepper nobody can choose where
// a guess lands.

#include "auth/keys.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/ids.h"
#include "codec/utf8.h"
#include "crypto/hmac.h"

namespace fh::auth {
namespace {

using base::Code;
using base::fail;
using base::fail_field;

constexpr std::string_view kPrefix = "fh-";
constexpr std::string_view kIdPrefix = "key_";
constexpr std::size_t kHintCharacters = 4;
constexpr std::size_t kPepperBytes = 32;

bool looks_like_key(std::string_view text) {
  if (text.size() != kKeyTextBytes || !text.starts_with(kPrefix)) return false;
  return std::ranges::all_of(text.substr(kPrefix.size()), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

std::uint64_t bucket_of(const crypto::Sha256Digest& mac) {
  std::uint64_t bucket = 0;
  std::memcpy(&bucket, mac.data(), sizeof bucket);
  return bucket;
}

base::Status check_label(const std::string& field, std::string_view text) {
  if (text.size() > kKeyNameBytesMax) {
    return fail_field(field, "the " + field + " of a key has at most " +
                                 std::to_string(kKeyNameBytesMax) + " bytes");
  }
  const bool has_control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (has_control || !codec::utf8::valid(text)) {
    return fail_field(field, "the " + field + " of a key is text without control characters");
  }
  return {};
}

using RecordPtr = std::shared_ptr<const KeyRecord>;

struct Entry {
  crypto::Sha256Digest mac{};
  RecordPtr record;
};

struct Snapshot {
  std::vector<RecordPtr> all;  // in the order of their making
  std::unordered_multimap<std::uint64_t, Entry> live;
};

base::Result<std::shared_ptr<const Snapshot>> snapshot_of(std::vector<RecordPtr> records) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const RecordPtr& record : records) {
    const auto mac = crypto::digest_from_hex(record->hash_hex);
    if (!mac) {
      return fail(Code::DataLoss, "the stored hash of API key " + record->id + " is damaged",
                  "restore the ledger from a backup, or remove this key");
    }
    if (record->revoked_unix_ns == 0) snapshot->live.emplace(bucket_of(*mac), Entry{*mac, record});
  }
  snapshot->all = std::move(records);
  return snapshot;
}

}  // namespace

struct KeyTable::Impl {
  Impl(KeyStore& the_store, base::Secret the_pepper, base::Clock& the_clock,
       base::Random& the_random)
      : store(the_store),
        pepper(std::move(the_pepper)),
        clock(the_clock),
        random(the_random),
        published(std::make_shared<Snapshot>()) {}

  std::shared_ptr<const Snapshot> current() const {
    const std::lock_guard lock(publish_mutex);
    return published;
  }
  void publish(std::shared_ptr<const Snapshot> next) {
    // The old snapshot dies after the lock is free.
    const std::lock_guard lock(publish_mutex);
    published.swap(next);
  }
  crypto::Sha256Digest mac_of(std::string_view key) const {
    return crypto::hmac_sha256(pepper.reveal(), key);
  }

  KeyStore& store;
  const base::Secret pepper;
  base::Clock& clock;
  base::Random& random;
  std::mutex write_mutex;  // held by load, create and revoke from beginning to end
  mutable std::mutex publish_mutex;
  std::shared_ptr<const Snapshot> published;
};

KeyTable::KeyTable(KeyStore& store, base::Secret pepper, base::Clock& clock, base::Random& random)
    : impl_(std::make_unique<Impl>(store, std::move(pepper), clock, random)) {}
KeyTable::~KeyTable() = default;

base::Status KeyTable::load() {
  const std::lock_guard lock(impl_->write_mutex);
  if (impl_->pepper.reveal().size() != kPepperBytes) {
    return fail(Code::FailedPrecondition, "the key pepper is not 32 bytes long",
                "restore the pepper file of the data folder; without it no key works");
  }
  FH_TRY(std::vector<KeyRecord> loaded, impl_->store.load_keys());
  std::vector<RecordPtr> records;
  records.reserve(loaded.size());
  for (KeyRecord& record : loaded) {
    records.push_back(std::make_shared<const KeyRecord>(std::move(record)));
  }
  std::ranges::sort(records, {}, [](const RecordPtr& r) {
    return std::pair<std::int64_t, std::string_view>(r->created_unix_ns, r->id);
  });
  FH_TRY(auto snapshot, snapshot_of(std::move(records)));
  impl_->publish(std::move(snapshot));
  return {};
}

base::Result<NewKey> KeyTable::create(std::string name, Role role, std::string project,
                                      std::string workload, const Keep& keep) {
  if (name.empty()) return fail_field("name", "a key needs a name");
  if (name.starts_with(kIdPrefix)) {
    return fail_field("name", "the name of a key cannot begin with \"key_\", like an id");
  }
  FH_TRY_VOID(check_label("name", name));
  FH_TRY_VOID(check_label("project", project));
  FH_TRY_VOID(check_label("workload", workload));

  const std::lock_guard lock(impl_->write_mutex);
  std::vector<RecordPtr> records = impl_->current()->all;
  for (const RecordPtr& other : records) {
    if (other->revoked_unix_ns == 0 && other->name == name) {
      return fail(Code::AlreadyExists, "a key named \"" + name + "\" exists",
                  "choose another name, or revoke that key first");
    }
  }
  base::Secret key(std::string(kPrefix) + impl_->random.token(kKeyTextBytes - kPrefix.size()));
  KeyRecord record;
  record.id = base::make_id(kIdPrefix, impl_->random);
  record.name = std::move(name);
  record.hint = std::string(kPrefix) + "…" + key.reveal().substr(kKeyTextBytes - kHintCharacters);
  record.hash_hex = crypto::to_hex(impl_->mac_of(key.reveal()));
  record.role = role;
  record.project = std::move(project);
  record.workload = std::move(workload);
  record.created_unix_ns = impl_->clock.unix_ns();
  if (keep) FH_TRY_VOID(keep(key));
  FH_TRY_VOID(impl_->store.save_key(record));

  records.push_back(std::make_shared<const KeyRecord>(record));
  FH_TRY(auto snapshot, snapshot_of(std::move(records)));
  impl_->publish(std::move(snapshot));
  return NewKey{std::move(key), std::move(record)};
}

base::Result<KeyRecord> KeyTable::revoke(std::string_view id_or_name) {
  const std::lock_guard lock(impl_->write_mutex);
  std::vector<RecordPtr> records = impl_->current()->all;
  auto found =
      std::ranges::find_if(records, [&](const RecordPtr& r) { return r->id == id_or_name; });
  if (found == records.end()) {
    found = std::ranges::find_if(records, [&](const RecordPtr& r) {
      return r->revoked_unix_ns == 0 && r->name == id_or_name;
    });
  }
  if (found == records.end()) {
    return fail(Code::NotFound, "no key has this id, and no live key this name",
                "`freehold keys list` shows all keys");
  }
  KeyRecord record = **found;
  if (record.revoked_unix_ns != 0) return record;
  record.revoked_unix_ns = impl_->clock.unix_ns();
  FH_TRY_VOID(impl_->store.save_key(record));
  *found = std::make_shared<const KeyRecord>(record);
  FH_TRY(auto snapshot, snapshot_of(std::move(records)));
  impl_->publish(std::move(snapshot));
  return record;
}

std::vector<KeyRecord> KeyTable::list() const {
  const auto snapshot = impl_->current();
  std::vector<KeyRecord> out;
  out.reserve(snapshot->all.size());
  for (auto it = snapshot->all.rbegin(); it != snapshot->all.rend(); ++it) out.push_back(**it);
  return out;
}

std::shared_ptr<const KeyRecord> KeyTable::authenticate(std::string_view presented) const {
  if (!looks_like_key(presented)) return nullptr;
  const crypto::Sha256Digest mac = impl_->mac_of(presented);
  const auto snapshot = impl_->current();
  const auto [first, last] = snapshot->live.equal_range(bucket_of(mac));
  for (auto it = first; it != last; ++it) {
    if (crypto::constant_time_equal(it->second.mac, mac)) return it->second.record;
  }
  return nullptr;
}

}  // namespace fh::auth
