#pragma once
// What a client asks with `diagnostics`: why could the prompt of this turn not be read from the
// cache? It names the message it got last turn; what was asked then is compared part by part with
// what is asked now. Only fingerprints are kept, and only of requests that ask: no text. They are
// FNV-1a, 64 bits, of the parts as read: http://www.isthe.com/chongo/tech/comp/fnv/. Nothing is
// decided by them but the words of the answer.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/anthropic/reply.h"
#include "dialects/anthropic/request.h"

namespace fh::dialects::anthropic {

// The parts of one prompt, in the order in which the reasons are told apart.
struct TurnPrint {
  std::string model;  // canonical name
  std::uint64_t system = 0;
  std::uint64_t tools = 0;
  std::vector<std::uint64_t> messages;  // after each message: of all up to it
};
TurnPrint print_of(const Request& request);

// The turns of the last requests that asked. One thread.
class TurnMemory {
 public:
  explicit TurnMemory(std::size_t turns_max = 4'096) : turns_max_(turns_max) {}

  // `tenant` keeps callers apart: another tenant's message is as good as unknown.
  void remember(std::string_view tenant, std::string_view message_id, const TurnPrint& print,
                std::uint64_t prompt_tokens);
  // nullopt: nothing changed but that the conversation went on. The token count is that of the
  // earlier prompt, the most that could have been read from the cache; what was read is not known
  // before the prompt is worked on.
  std::optional<CacheMiss> compare(std::string_view tenant, std::string_view previous_message_id,
                                   const TurnPrint& now) const;
  std::size_t size() const { return turns_.size(); }

 private:
  struct Turn {
    std::string model;
    std::uint64_t system = 0;
    std::uint64_t tools = 0;
    std::size_t message_count = 0;
    std::uint64_t messages = 0;
    std::uint64_t prompt_tokens = 0;
  };
  const std::size_t turns_max_;
  std::map<std::string, Turn, std::less<>> turns_;  // by tenant and message id
  std::deque<std::string> order_;                   // oldest first
};

}  // namespace fh::dialects::anthropic
