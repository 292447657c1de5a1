#pragma once
// What the gateway is built from; everything is borrowed and outlives it. The same code runs in
// production and in the single-threaded simulation: time, randomness, network, engine and store
// come through these seams.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "gateway/authenticate.h"
#include "gateway/directory.h"
#include "gateway/live.h"
#include "ledger/ledger.h"
#include "net/http.h"
#include "net/runtime.h"
#include "obs/metrics.h"
#include "pricing/price_book.h"

namespace fh::gateway {

struct Settings {
  std::vector<std::string> compare_models;  // price book ids for "the same tokens at ..."
  std::int64_t keep_alive_ms = 10'000;      // silence after which a stream gets a keep-alive
  std::int64_t request_ms_max = 3'600'000;  // longest life of one request
  std::int64_t cancel_wait_ms = 10'000;     // how long a cancelled engine stream may take to end
  std::int64_t retry_after_ms = 1'000;      // told to clients when the queue is full
  bool log_requests = false;                // a line of log for each
  bool strict_overflow = false;  // refuse prompt + max_tokens over the window instead of clamping
};

// A route that another folder serves (admin API, console files); wired in main.
using Extension = std::function<net::Task<void>(net::HttpRequest, net::ResponseWriter&, Principal,
                                                std::string request_id)>;

struct Deps {
  net::Runtime& runtime;
  base::Clock& clock;
  base::Random& random;
  ledger::Ledger& ledger;
  auth::KeyTable& keys;
  Sessions& sessions;
  ModelDirectory& models;
  const pricing::PriceBook& prices;
  obs::Metrics& metrics;
  LiveRequests& live;
  Settings settings;
  Extension admin;
  Extension console;
};

}  // namespace fh::gateway
