#pragma once
// Our own types around libllama: model, batch, context. The library ends the process when it is
// called against its contract, and one bad request must not take the others with it; so everything
// the contract asks for is checked here first, and a violation is an Error. With facade.cc and
// sampler.cc this is where llama.h is called from (chat and grammar code apart).
//
// Threads: Model is immutable after load and may be used from any thread. A Context belongs to one
// thread.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/llama/cell_ledger.h"
#include "engine/llama/kv_memory.h"
#include "engine/llama/thread_pools.h"

struct llama_model;
struct llama_context;
struct llama_vocab;

namespace fh::engine::llama {

// What of a sequence's memory can be taken up again, by the architecture's kind of memory.
enum class ReuseKind : std::uint8_t {
  None,    // recurrent, hybrid and encoder models: nothing yet
  Blocks,  // sliding windows: saved blocks, but no fork of a running sequence (cells may be gone)
  BlocksAndForks,  // full attention
};

class Model {
 public:
  struct Options {
    std::string path;
    bool vocab_only = false;              // tokenizer, metadata and template only: quick, small
    std::function<bool(float)> progress;  // 0 .. 1; false gives the load up
  };
  // Errors: NotFound (no such file), FailedPrecondition (not a model that this library can run),
  // Cancelled.
  static base::Result<std::shared_ptr<const Model>> load(const Options& options);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Any UTF-8; special tokens in the text become tokens if `parse_special`. Error InvalidArgument
  // when the text is too long for the tokenizer.
  base::Result<std::vector<Token>> tokenize(std::string_view text, bool add_bos,
                                            bool parse_special) const;
  // A lower bound for what tokenize() gives, without the work; 0 where the tokenizer allows none.
  std::uint64_t tokens_at_least(std::string_view text) const;
  // Bytes of a token, maybe a part of a code point. Control tokens have none unless `special`.
  std::string piece(Token token, bool special = false) const;
  bool is_end(Token token) const;  // ends the answer
  bool is_control(Token token) const;
  std::uint32_t vocabulary_size() const { return vocabulary_size_; }

  std::string meta(const std::string& key) const;  // empty if absent
  std::string architecture() const { return meta("general.architecture"); }
  std::uint32_t training_context() const;  // tokens; 0 = not stated
  std::uint64_t kv_bytes_per_token()
      const;                     // f16 keys and values; an upper estimate from the metadata
  ReuseKind reuse_kind() const;  // needs the weights, not only the vocabulary

  llama_model* raw() const { return model_; }
  const llama_vocab* vocab() const { return vocab_; }

 private:
  // Which bytes of a text a token must cover, and how many of them one token covers at most.
  struct Coverage {
    std::array<bool, 256> counted{};
    std::size_t longest = 0;  // 0: nothing is certain
  };
  explicit Model(llama_model* model);
  Coverage coverage() const;
  std::uint64_t meta_number(const std::string& key) const;  // of the architecture; 0 = absent

  llama_model* model_;
  const llama_vocab* vocab_;
  std::uint32_t vocabulary_size_ = 0;
  mutable std::once_flag coverage_once_;
  mutable Coverage coverage_;
};

// Rows to compute in one call. Rows of one sequence must stand in order of position.
class Batch {
 public:
  struct Row {
    Token token = 0;
    Position position = 0;
    SequenceId sequence = 0;
    bool output = false;  // logits wanted
  };
  void clear() { rows_.clear(); }
  void add(const Row& row) { rows_.push_back(row); }
  std::span<const Row> rows() const { return rows_; }
  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<Row> rows_;
};

class Context final : public KvMemory {
 public:
  struct Options {
    std::uint32_t cells = 4096;            // KV pool, shared by all sequences
    std::uint32_t sequences_max = 8;       // one more is used inside, for copying blocks
    std::uint32_t batch_tokens_max = 512;  // rows of one decode()
    std::uint32_t outputs_max = 8;         // rows of one decode() that want logits
    std::uint32_t threads = 1;
  };
  // Error ResourceExhausted: memory. Flash attention is on (blocks need it), keys and values are
  // f16, one unified pool.
  static base::Result<std::unique_ptr<Context>> create(std::shared_ptr<const Model> model,
                                                       const Options& options);
  ~Context() override;

  // Computes the rows. Errors: InvalidArgument (contract; nothing was computed), ResourceExhausted
  // (cells; nothing was computed), Internal (the library failed; lengths are what the library still
  // holds), Cancelled (`give_up`, asked many times while it computes, said so; nothing was kept).
  using GiveUp = std::function<bool()>;
  base::Status decode(const Batch& batch, const GiveUp& give_up = {});
  // Raw logits of the row with this index in the last decoded batch; empty if that row had no
  // output.
  std::span<const float> logits(std::size_t row) const;

  std::uint32_t sequences_max() const override { return options_.sequences_max; }
  std::uint32_t length(SequenceId sequence) const override;
  std::uint32_t cells_used() const override { return ledger_.used(); }
  std::uint32_t cells_max() const override { return ledger_.cells_max(); }
  std::uint32_t owned_alone(SequenceId sequence) const { return ledger_.owned_alone(sequence); }
  base::Status fork(SequenceId from, SequenceId to, std::uint32_t length) override;
  base::Status trim(SequenceId sequence, std::uint32_t length) override;
  void clear_all() override;
  base::Result<BlockData> save(SequenceId sequence, std::uint32_t begin,
                               std::uint32_t end) override;
  base::Status restore(SequenceId sequence, const BlockData& data, std::uint32_t begin,
                       std::uint32_t end) override;

  // 1 to Options::threads, from the next batch on.
  void set_threads(std::uint32_t threads);
  std::uint32_t batch_tokens_max() const { return options_.batch_tokens_max; }
  const Model& model() const { return *model_; }
  llama_context* raw() const { return context_; }
  // Whether the library's own record agrees with ours; for tests.
  bool consistent() const;

 private:
  struct RawBatch;
  Context(std::shared_ptr<const Model> model, llama_context* context, const Options& options);
  base::Status check(const Batch& batch) const;
  int compute(const Batch& batch);
  bool is_public(SequenceId sequence) const;
  SequenceId scratch() const { return static_cast<SequenceId>(options_.sequences_max); }
  void resynchronise();

  std::shared_ptr<const Model> model_;
  llama_context* context_;
  Options options_;
  CellLedger ledger_;
  std::unique_ptr<RawBatch> raw_batch_;
  ThreadPools thread_pools_;
  std::uint32_t threads_ = 0;        // of the next batch
  std::vector<bool> has_output_;     // per row of the last batch
  const GiveUp* give_up_ = nullptr;  // while decode() runs
};

// Bytes of memory of this machine; 0 if unknown.
std::uint64_t machine_memory_bytes();
// Version text of the linked llama.cpp: blocks are valid for one version only.
std::string llama_version_text();

}  // namespace fh::engine::llama
