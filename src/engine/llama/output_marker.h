#pragma once
// The parser of answers for models whose calls are written as <tool_call>{json}</tool_call> and
// whose thinking stands between two tags. See output_parser.h for the contract.

#include <memory>
#include <string>

#include "base/random.h"
#include "engine/llama/output_parser.h"
#include "engine/llama/tool_call.h"

namespace fh::engine::llama {

struct MarkerOptions {
  std::string think_start;  // both empty: the model does not think
  std::string think_end;
  bool starts_in_reasoning = false;  // the prompt has opened the tag
  bool continues_text = false;       // the answer goes on in the middle of a text (prefill)
  bool calls = false;                // calls are recognised
  // An answer that consists of exactly one JSON object {name, arguments}, bare or in a fence, is a
  // call too.
  bool lenient = false;
  // With lenient: so is one in a fence that begins a line, wherever it stands, and several of them
  // in one fence. Behind it only further ones count: what else is said there is made up, and the
  // answer is over.
  bool fences = false;
  bool parallel = true;
  bool must_call = false;  // the grammar allows nothing but calls
  // After a call the grammar allows nothing but calls. A model that has no more to call then tends
  // to say the same again, and again: a call that repeats an earlier one to the letter is left out
  // and ends the answer.
  bool calls_only = false;
  std::shared_ptr<const ToolRules> tools;
};

// `random` makes the ids; it must outlive the parser.
std::unique_ptr<OutputParser> make_marker_parser(MarkerOptions options, base::Random& random);

// "call_" and 24 random characters of [0-9A-Za-z].
std::string make_call_id(base::Random& random);

}  // namespace fh::engine::llama
