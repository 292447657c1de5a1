// See usage_archive_names.h.

#include "ledger/store/sqlite/usage_archive_names.h"

#include <array>
#include <optional>
#include <utility>

namespace fh::ledger {
namespace {

using domain::CostKind;
using domain::Granularity;
using domain::ServiceTier;
using domain::UsageRecord;

// Per dictionary. What does not fit is looked up again in the file.
constexpr std::size_t kRememberedMax = 100'000;

template <typename Enum>
struct Word {
  Enum value;
  std::string_view word;
};
constexpr std::array<Word<Granularity>, 4> kGranularities = {{{Granularity::Request, "request"},
                                                              {Granularity::Minute, "minute"},
                                                              {Granularity::Hour, "hour"},
                                                              {Granularity::Day, "day"}}};
constexpr std::array<Word<ServiceTier>, 5> kTiers = {{{ServiceTier::Standard, "standard"},
                                                      {ServiceTier::Batch, "batch"},
                                                      {ServiceTier::Flex, "flex"},
                                                      {ServiceTier::Priority, "priority"},
                                                      {ServiceTier::Fast, "fast"}}};
constexpr std::array<Word<CostKind>, 5> kCostKinds = {{{CostKind::None, "none"},
                                                       {CostKind::Billed, "billed"},
                                                       {CostKind::List, "list"},
                                                       {CostKind::Estimate, "estimate"},
                                                       {CostKind::Included, "included"}}};

template <typename Enum, std::size_t N>
std::string_view word_of(const std::array<Word<Enum>, N>& words, Enum value) {
  for (const Word<Enum>& entry : words) {
    if (entry.value == value) return entry.word;
  }
  return words.front().word;
}

template <typename Enum, std::size_t N>
base::Status read_word(const std::array<Word<Enum>, N>& words, std::string_view word, Enum& into) {
  for (const Word<Enum>& entry : words) {
    if (entry.word != word) continue;
    into = entry.value;
    return {};
  }
  return base::fail(base::Code::DataLoss, "the usage archive has a word that has no meaning");
}

constexpr std::size_t kStrings = 9;
template <typename Record>
auto strings_of(Record& r) {
  return std::array{&r.format, &r.provider, &r.model,       &r.region,  &r.workspace,
                    &r.key,    &r.user,     &r.application, &r.workload};
}

void append_key(std::string& key, const UsageRecord& r) {
  key.clear();
  for (const std::string* text : strings_of(r)) {
    const std::size_t size = text->size();
    key.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(*text);
  }
  key.push_back(static_cast<char>(r.granularity));
  key.push_back(static_cast<char>(r.tier));
  key.push_back(static_cast<char>(r.cost_kind));
  key.push_back(r.prompt_band_known ? 1 : 0);
  key.append(reinterpret_cast<const char*>(&r.prompt_over), sizeof(r.prompt_over));
}

base::Error dangling() {
  return base::Error{
      base::Code::DataLoss, "the usage archive refers to a name that it lacks", {}, {}, {}};
}

}  // namespace

base::Result<NameWriter> NameWriter::open(const Database& db) {
  NameWriter writer;
  writer.db_ = &db;
  FH_TRY(writer.find_name_, db.prepare("SELECT id FROM names WHERE text=?1"));
  FH_TRY(writer.insert_name_, db.prepare("INSERT INTO names(text) VALUES(?1)"));
  FH_TRY(writer.find_facets_,
         db.prepare("SELECT id FROM facets WHERE format=?1 AND provider=?2 AND model=?3 AND"
                    " region=?4 AND workspace=?5 AND key_name=?6 AND user_name=?7 AND"
                    " application=?8 AND workload=?9 AND granularity=?10 AND tier=?11 AND"
                    " cost_kind=?12 AND prompt_over=?13 AND prompt_band_known=?14"));
  FH_TRY(writer.insert_facets_,
         db.prepare("INSERT INTO facets(format, provider, model, region, workspace, key_name,"
                    " user_name, application, workload, granularity, tier, cost_kind, prompt_over,"
                    " prompt_band_known) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"));
  return writer;
}

void NameWriter::forget() {
  names_.clear();
  facets_.clear();
  last_key_.clear();
}

base::Result<std::int64_t> NameWriter::last_id() const {
  return sqlite3_last_insert_rowid(db_->handle());
}

base::Result<std::int64_t> NameWriter::name(std::string_view text) {
  if (const auto it = names_.find(text); it != names_.end()) return it->second;
  find_name_.bind(1, text);
  FH_TRY(const bool known, find_name_.step());
  std::int64_t id = known ? find_name_.integer(0) : 0;
  find_name_.reset();
  if (!known) {
    insert_name_.bind(1, text);
    FH_TRY_VOID(insert_name_.run());
    FH_TRY(id, last_id());
  }
  if (names_.size() >= kRememberedMax) names_.clear();
  names_.emplace(text, id);
  return id;
}

base::Result<std::int64_t> NameWriter::facets(const UsageRecord& record) {
  append_key(key_, record);
  if (key_ == last_key_) return last_facets_;
  auto it = facets_.find(key_);
  if (it == facets_.end()) {
    FH_TRY(const std::int64_t id, add_facets(record));
    if (facets_.size() >= kRememberedMax) facets_.clear();
    it = facets_.emplace(key_, id).first;
  }
  last_key_ = key_;
  last_facets_ = it->second;
  return last_facets_;
}

base::Result<std::int64_t> NameWriter::add_facets(const UsageRecord& record) {
  std::array<std::int64_t, kStrings> ids{};
  const auto strings = strings_of(record);
  for (std::size_t i = 0; i < kStrings; ++i) {
    FH_TRY(ids[i], name(*strings[i]));
  }
  const auto bind = [&](Statement& s) {
    int at = 1;
    for (const std::int64_t id : ids) s.bind(at++, id);
    s.bind(at++, word_of(kGranularities, record.granularity));
    s.bind(at++, word_of(kTiers, record.tier));
    s.bind(at++, word_of(kCostKinds, record.cost_kind));
    s.bind_count(at++, record.prompt_over);
    s.bind(at++, std::int64_t{record.prompt_band_known});
  };
  bind(find_facets_);
  FH_TRY(const bool known, find_facets_.step());
  const std::int64_t id = known ? find_facets_.integer(0) : 0;
  find_facets_.reset();
  if (known) return id;
  bind(insert_facets_);
  FH_TRY_VOID(insert_facets_.run());
  return last_id();
}

base::Result<NameReader> NameReader::open(const Database& db) {
  NameReader reader;
  FH_TRY(reader.get_name_, db.prepare("SELECT text FROM names WHERE id=?1"));
  FH_TRY(reader.get_facets_,
         db.prepare("SELECT format, provider, model, region, workspace, key_name, user_name,"
                    " application, workload, granularity, tier, cost_kind, prompt_over,"
                    " prompt_band_known FROM facets WHERE id=?1"));
  return reader;
}

void NameReader::forget() {
  names_.clear();
  facets_.clear();
  set_ = 0;
}

base::Result<std::string_view> NameReader::name(std::int64_t id) {
  if (const auto it = names_.find(id); it != names_.end()) return it->second;
  get_name_.bind(1, id);
  FH_TRY(const bool row, get_name_.step());
  std::string text = row ? get_name_.text(0) : std::string();
  get_name_.reset();
  if (!row) return std::unexpected(dangling());
  if (names_.size() >= kRememberedMax) names_.clear();
  return names_.emplace(id, std::move(text)).first->second;
}

base::Result<UsageRecord> NameReader::read_facets(std::int64_t id) {
  get_facets_.bind(1, id);
  FH_TRY(const bool row, get_facets_.step());
  UsageRecord record;
  std::array<std::int64_t, kStrings> ids{};
  const auto read = [&]() -> base::Status {
    if (!row) return std::unexpected(dangling());
    int at = 0;
    for (std::int64_t& name_id : ids) name_id = get_facets_.integer(at++);
    FH_TRY_VOID(read_word(kGranularities, get_facets_.text(at++), record.granularity));
    FH_TRY_VOID(read_word(kTiers, get_facets_.text(at++), record.tier));
    FH_TRY_VOID(read_word(kCostKinds, get_facets_.text(at++), record.cost_kind));
    record.prompt_over = get_facets_.count(at++);
    record.prompt_band_known = get_facets_.integer(at++) != 0;
    return {};
  };
  const base::Status status = read();
  get_facets_.reset();
  if (!status) return std::unexpected(status.error());
  const auto strings = strings_of(record);
  for (std::size_t i = 0; i < kStrings; ++i) {
    FH_TRY(const std::string_view text, name(ids[i]));
    strings[i]->assign(text);
  }
  return record;
}

base::Status NameReader::set_facets(std::int64_t id, UsageRecord& record) {
  if (id == set_) return {};
  auto it = facets_.find(id);
  if (it == facets_.end()) {
    FH_TRY(UsageRecord read, read_facets(id));
    if (facets_.size() >= kRememberedMax) facets_.clear();
    it = facets_.emplace(id, std::move(read)).first;
  }
  const auto from = strings_of(it->second);
  const auto to = strings_of(record);
  for (std::size_t i = 0; i < kStrings; ++i) to[i]->assign(*from[i]);
  record.granularity = it->second.granularity;
  record.tier = it->second.tier;
  record.cost_kind = it->second.cost_kind;
  record.prompt_over = it->second.prompt_over;
  record.prompt_band_known = it->second.prompt_band_known;
  set_ = id;
  return {};
}

}  // namespace fh::ledger
