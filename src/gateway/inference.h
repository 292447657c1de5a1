#pragma once
// The life of one inference request, stage by stage: parse, resolve the model, prepare (every
// deterministic refusal happens here, as a plain 4xx), admit on the ledger, run, settle, answer.
// docs/ARCHITECTURE.md has the picture.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/attempt.h"
#include "gateway/deps.h"
#include "gateway/wire.h"

namespace fh::gateway {

class Inference {
 public:
  explicit Inference(const Deps& deps) : deps_(deps) {}

  net::Task<void> run(const Route& route, net::HttpRequest request, net::ResponseWriter& writer,
                      Principal who, std::string request_id);
  net::Task<void> count_tokens(const Route& route, net::HttpRequest request,
                               net::ResponseWriter& writer, Principal who, std::string request_id);
  // From now on new requests are refused with Unavailable.
  void refuse_new() { refusing_ = true; }
  // Ends what still runs, or would run next.
  void cancel_all(domain::EndReason reason);
  std::size_t running() const { return running_.size(); }

 private:
  struct Call;
  base::Result<std::unique_ptr<Call>> open(const Route& route, const net::HttpRequest& request,
                                           const Principal& who, const std::string& request_id);
  net::Task<base::Status> prepare_and_admit(Call& call, const Principal& who);
  net::Task<base::Result<engine::Prepared>> prepare(Call& call, engine::PrepareRequest wanted);
  net::Task<void> answer(Call& call, net::ResponseWriter& writer);
  net::Task<void> refuse(Surface surface, const base::Error& error, const std::string& request_id,
                         net::ResponseWriter& writer);
  net::Task<void> stream(Call& call, net::ResponseWriter& writer);
  net::Task<void> whole(Call& call, net::ResponseWriter& writer);
  net::Task<void> pump(Call& call, net::ResponseWriter* stream_to);

  const Deps& deps_;
  WireMemory memory_;
  bool refusing_ = false;
  std::optional<domain::EndReason> cancelled_;  // by cancel_all
  std::vector<Call*> preparing_;
  std::vector<Attempt*> running_;
};

}  // namespace fh::gateway
