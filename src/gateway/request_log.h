#pragma once
// One line of log for each request of a model's route, so that the id which a client reports leads
// to what happened. Numbers and names of this server's own: nothing that a client wrote.

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "gateway/routes.h"
#include "ledger/ledger.h"

namespace fh::gateway {

void log_ended(const ledger::Admission& admission, const ledger::Settlement& row);
void log_counted(std::string_view request_id, std::string_view model, std::uint64_t tokens);
// Refused before it was admitted: it has no row in the ledger.
void log_refused(Surface surface, std::string_view request_id, const base::Error& error,
                 int http_status);

}  // namespace fh::gateway
