// The contract of engine.h, held by the llama engine. Needs FH_TEST_MODEL, the path of a small GGUF
// file with a chat template.
#include <cstdlib>

#include "base/clock.h"
#include "base/random.h"
#include "engine/engine_contract.h"
#include "engine/llama/llama_engine.h"

namespace fh::engine::testing {
namespace {

class OnAModel final : public ContractSubject {
 public:
  OnAModel() {
    llama::LlamaOptions options;
    options.model_path = std::getenv("FH_TEST_MODEL");
    options.model_id = "model";
    options.context_tokens = 2048;
    options.sequences_max = 4;
    options.threads = 1;
    options.adapt_threads = false;
    options.chunk_tokens = 64;
    options.kv_bytes_max = 256 << 20;
    options.parked_bytes_max = 256 << 20;
    auto created = llama::LlamaEngine::create(std::move(options), {random_, clock_});
    EXPECT_TRUE(created.has_value());
    if (created) engine_ = std::move(*created);
  }
  Engine& engine() override { return *engine_; }
  void work_until(const std::function<bool()>& done) override { wait_until(done); }

 private:
  base::SeededRandom random_{3};
  base::SystemClock clock_;
  std::unique_ptr<llama::LlamaEngine> engine_;
};

std::vector<ContractCase> cases() {
  if (std::getenv("FH_TEST_MODEL") == nullptr) return {};
  return {{"Llama", [] { return std::make_unique<OnAModel>(); }}};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EngineContract);
INSTANTIATE_TEST_SUITE_P(Engines, EngineContract, ::testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace fh::engine::testing
