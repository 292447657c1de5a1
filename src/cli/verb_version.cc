// freehold version.
#include <fmt/format.h>

#include "cli/build_info.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "ledger/store/sqlite/sqlite_store.h"
#include "pricing/price_book.h"

namespace fh::cli {

std::string freehold_version() {
  return FREEHOLD_VERSION;
}
std::string llama_version() {
  return FREEHOLD_LLAMA_VERSION;
}

int run_version(bool json) {
  if (json) {
    codec::json::Writer w;
    w.object().member("freehold", freehold_version()).member("llama_cpp", llama_version());
    w.member("sqlite", ledger::sqlite_version())
        .member("price_book", pricing::PriceBook::bundled().version());
    w.member("compiler", __VERSION__).end_object();
    fmt::print("{}\n", w.str());
    return kOk;
  }
  fmt::print("freehold {}\n", freehold_version());
  fmt::print("  llama.cpp    {}\n", llama_version());
  fmt::print("  SQLite       {}\n", ledger::sqlite_version());
  fmt::print("  price book   {}\n", pricing::PriceBook::bundled().version());
  fmt::print("  compiler     {}\n", __VERSION__);
  return kOk;
}

}  // namespace fh::cli
