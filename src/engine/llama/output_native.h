#pragma once
// The parser of answers in a format that llama-common reads (every tool format but Hermes): its
// repeated partial parses of the whole answer become a stream of events. Exceptions and results
// that take something back do not get out: what was given out stays, the rest waits for the end.

#include <memory>
#include <string>

#include "base/random.h"
#include "engine/llama/output_parser.h"

struct common_chat_parser_params;

namespace fh::engine::llama {

struct NativeOptions {
  std::shared_ptr<const common_chat_parser_params> syntax;
  std::string prefill;  // text of the answer that stands in the prompt and is not repeated
  bool calls = false;
  bool parallel = true;
};

std::unique_ptr<OutputParser> make_native_parser(NativeOptions options, base::Random& random);

}  // namespace fh::engine::llama
