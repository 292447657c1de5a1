#pragma once
// One reader of what OpenAI's organization endpoints answer about usage and costs: buckets of time
// with results. A result tells by its own members what it is, so files that hold answers of several
// endpoints are read like any other.

#include <cstdint>

#include "codec/json.h"
#include "importers/elements.h"

namespace fh::importers::openai {

struct Bucket {
  std::int64_t start_unix_ns = 0, end_unix_ns = 0;
  std::uint64_t line = 0;
};

// Defined in openai_usage.cc and openai_costs.cc.
void read_usage(codec::json::Value result, const Bucket& bucket, Sink& sink);
void read_cost(codec::json::Value result, const Bucket& bucket, Sink& sink);

class ReportImporter final : public ElementImporter {
 public:
  ReportImporter();

 private:
  void row(codec::json::Value value, const Element& element, Sink& sink) override;
};

}  // namespace fh::importers::openai
