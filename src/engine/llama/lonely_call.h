#pragma once
// A tool call that a model writes of its own accord, without its template's markers: one JSON
// object
// {"name": declared tool, "arguments": valid by its schema}, bare or in a fence of Markdown. For
// families that fence their calls (`fences`) also one behind the other in one fence, and there it
// is enough that the arguments have the members that the schema wants and no others: the client's
// complaint about a value is what lets the model try again. Looked at byte by byte, so that text
// that is no call is known as soon as it can be.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/llama/tool_call.h"

namespace fh::engine::llama {

class LonelyCall {
 public:
  struct Call {
    std::string name;
    std::string arguments;
  };
  LonelyCall(const ToolRules& tools, bool fences) : tools_(tools), fences_(fences) {}

  // False: with this byte it is no call, or it goes on behind one.
  bool push(char c);
  // The fence that was opened is closed again.
  bool fence_closed() const { return fenced_ && closing_ == 3; }
  // A complete call; of several the last.
  std::optional<Call> complete() const;
  // Of several: those that are whole, whatever came behind them.
  std::vector<Call> whole() const;
  bool has_several() const { return !earlier_.empty(); }

 private:
  enum class At : std::uint8_t { Lead, Ticks, Language, Object, Tail };
  bool object(char c);
  bool begin_another();
  std::optional<Call> call() const;

  const ToolRules& tools_;
  const bool fences_;
  std::vector<Call> earlier_;
  ObjectScanner scanner_;
  At at_ = At::Lead;
  int ticks_ = 0;
  int closing_ = 0;
  bool fenced_ = false;
  std::string language_;
};

}  // namespace fh::engine::llama
