#pragma once
// API keys: who may call, as an in-memory table of keyed hashes, so that no request touches a
// database. A key is "fh-" and 43 base-62 characters (256 bits); only HMAC-SHA-256(pepper, key) is
// ever stored, compared in constant time. Roles: Admin may call everything, Member may call models
// and see its own usage.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace fh::auth {

enum class Role : std::uint8_t { Member, Admin };

struct KeyRecord {
  std::string id;        // "key_..." ; safe to show and to log
  std::string name;      // for people; unique among live keys
  std::string hint;      // "fh-…wxyz": last four characters, for recognition
  std::string hash_hex;  // HMAC-SHA-256 of the key under the data directory's pepper
  Role role = Role::Member;
  std::string project;   // tenant of the prefix cache and default workload owner; "" = "default"
  std::string workload;  // default workload tag; may be empty
  std::int64_t created_unix_ns = 0;
  std::int64_t revoked_unix_ns = 0;  // 0 = live
};

// Where the records live; implemented in ledger/store, wired in main.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual base::Result<std::vector<KeyRecord>> load_keys() = 0;
  virtual base::Status save_key(
      const KeyRecord& record) = 0;  // insert or replace by id; durable on return
};

struct NewKey {
  base::Secret key;  // shown once, never stored
  KeyRecord record;
};

inline constexpr std::size_t kKeyTextBytes = 46;     // "fh-" and 43 characters
inline constexpr std::size_t kKeyNameBytesMax = 64;  // also for project and workload

// Thread-safe. Readers share an immutable snapshot and never wait for the store.
class KeyTable {
 public:
  // `pepper`: 32 bytes, kept 0600 in the data directory. The references must outlive the table.
  KeyTable(KeyStore& store, base::Secret pepper, base::Clock& clock, base::Random& random);
  ~KeyTable();
  // Replaces what is in memory by what the store has. Error: the store's, or DataLoss for a record
  // that makes no sense, or FailedPrecondition for a pepper of the wrong size; then nothing
  // changes.
  base::Status load();
  // Durable on return. Error: InvalidArgument (field "name", "project" or "workload") unless the
  // text is at most kKeyNameBytesMax bytes of UTF-8 without control characters, and the name is not
  // empty and does not begin with "key_"; AlreadyExists when a live key has the name; the store's.
  // `keep`, if given, puts the key away before its record is saved, so that whatever ends the
  // process in between leaves no key that nobody has; its error ends the call.
  using Keep = std::function<base::Status(const base::Secret& key)>;
  base::Result<NewKey> create(std::string name, Role role, std::string project,
                              std::string workload, const Keep& keep = {});
  // The key stops working before this returns. Revoking by id what is revoked already changes
  // nothing and is no error. Error: NotFound (names are those of live keys); the store's, and then
  // the key still works.
  base::Result<KeyRecord> revoke(std::string_view id_or_name);
  std::vector<KeyRecord> list() const;  // with revoked ones, newest first
  // The live record of a presented key, or null. What does not look like a key is refused before
  // any hashing.
  std::shared_ptr<const KeyRecord> authenticate(std::string_view presented) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::auth
