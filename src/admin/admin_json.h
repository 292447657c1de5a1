#pragma once
// The admin API's JSON forms (docs/api/admin.md): ledger rows, usage folds, keys, models, live
// records. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "auth/keys.h"
#include "codec/json.h"
#include "gateway/directory.h"
#include "gateway/live.h"
#include "ledger/ledger.h"

namespace fh::admin {

using KeyNames = std::vector<auth::KeyRecord>;

void write_usage(codec::json::Writer& w, const domain::Usage& usage);
void write_work(codec::json::Writer& w, const domain::PromptWork& work);
void write_row(codec::json::Writer& w, const ledger::Row& row, const KeyNames& keys,
               const gateway::RequestLife* life);
void write_life(codec::json::Writer& w, const gateway::RequestLife& life, std::int64_t now_unix_ns);
void write_key(codec::json::Writer& w, const auth::KeyRecord& key);
void write_model(codec::json::Writer& w, const gateway::ServedModel& model);
// By key, `keys` gives the names beside the ids.
std::string usage_json(const ledger::UsageQuery& query, const std::vector<ledger::UsageRow>& rows,
                       const KeyNames& keys);
std::string usage_csv(const ledger::UsageQuery& query, const std::vector<ledger::UsageRow>& rows,
                      const KeyNames& keys);
std::string_view usage_by_name(ledger::UsageBy by);
// The sum of the rows as one row.
ledger::UsageRow usage_totals(const std::vector<ledger::UsageRow>& rows);

}  // namespace fh::admin
