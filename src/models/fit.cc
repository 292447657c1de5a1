#include "models/fit.h"

#include <fmt/format.h>

#include <algorithm>

namespace fh::models {
namespace {

constexpr std::uint64_t kWorkingBase = 200ull * 1024 * 1024;

std::uint64_t working_bytes_of(const GgufFacts& facts) {
  // Logits and activations of one 512-token batch, and the process itself.
  return kWorkingBase + 512 * 4 * (facts.vocabulary + 8 * facts.embedding_length);
}

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024 * 1024);
}

}  // namespace

std::uint64_t kv_bytes_per_token(const GgufFacts& facts) {
  if (facts.head_count == 0) return 0;
  const std::uint64_t head_length = facts.embedding_length / facts.head_count;
  const std::uint64_t key = facts.key_length != 0 ? facts.key_length : head_length;
  const std::uint64_t value = facts.value_length != 0 ? facts.value_length : head_length;
  std::uint64_t heads = 0;
  if (facts.head_count_kv.size() == 1) {
    heads = facts.head_count_kv.front() * facts.block_count;
  } else {
    for (const std::uint64_t each : facts.head_count_kv) heads += each;
  }
  return heads * (key + value) * 2;
}

std::string_view fit_name(Fit fit) {
  switch (fit) {
    case Fit::Yes: return "yes";
    case Fit::Tight: return "tight";
    case Fit::No: return "no";
  }
  return "no";
}

FitReport fit_of(const GgufFacts& facts, std::uint64_t context_tokens, std::uint64_t memory_bytes) {
  FitReport report;
  report.weights_bytes = facts.file_bytes;
  report.kv_bytes = kv_bytes_per_token(facts) * context_tokens;
  report.working_bytes = working_bytes_of(facts);
  report.memory_bytes = memory_bytes;
  const std::uint64_t need = report.weights_bytes + report.kv_bytes + report.working_bytes;
  if (need > memory_bytes) {
    report.fit = Fit::No;
  } else if (need > memory_bytes - memory_bytes / 5) {
    report.fit = Fit::Tight;
  }
  static constexpr std::string_view kWords[] = {"fits", "fits tightly", "does not fit"};
  report.text = fmt::format(
      "{}: {:.2f} GiB of {:.1f} GiB ({:.2f} weights, {:.2f} memory of {} tokens, {:.2f} working)",
      kWords[static_cast<std::size_t>(report.fit)], gib(need), gib(memory_bytes),
      gib(report.weights_bytes), gib(report.kv_bytes), context_tokens, gib(report.working_bytes));
  return report;
}

std::uint64_t context_for_memory(const GgufFacts& facts, std::uint64_t wanted,
                                 std::uint64_t memory_bytes) {
  std::uint64_t context = wanted != 0 ? wanted : facts.context_length;
  if (facts.context_length != 0) context = std::min(context, facts.context_length);
  if (context == 0) context = 4096;
  const std::uint64_t per_token = kv_bytes_per_token(facts);
  if (per_token == 0) return context;
  const std::uint64_t budget = memory_bytes / 10 * 7;
  const std::uint64_t fixed = facts.file_bytes + working_bytes_of(facts);
  const std::uint64_t room = budget > fixed ? (budget - fixed) / per_token : 0;
  return std::max<std::uint64_t>(512, std::min(context, room / 256 * 256));
}

}  // namespace fh::models
