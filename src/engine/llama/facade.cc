// The calls into libllama, each behind its checks; see facade.h. The contract is that of
// include/llama.h.
#include "engine/llama/facade.h"

#include <llama.h>
#include <log.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace fh::engine::llama {
namespace {

using base::Code;

// While a model loads on this thread, the library's error lines are collected for our own message.
thread_local std::string* collected_errors = nullptr;

// The library's lines may quote grammars or texts, so outside of a load only the name of the
// function that complains is logged (every line begins with it).
void log_function_of(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon > 60) return;
  base::log_warn("llama.cpp reports an error", {{"function", std::string(line.substr(0, colon))}});
}

void on_library_log(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR || text == nullptr) return;
  std::string_view line(text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  if (collected_errors != nullptr) {
    if (collected_errors->size() > 500) return;
    if (!collected_errors->empty()) *collected_errors += "; ";
    *collected_errors += line;
    return;
  }
  log_function_of(line);
}

void start_library_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(on_library_log, nullptr);
    common_log_set_verbosity_thold(-1);  // llama-common prints grammars and prompts otherwise
    llama_backend_init();
  });
}

std::unexpected<base::Error> contract(std::string what) {
  return base::fail(Code::InvalidArgument, "engine contract: " + std::move(what));
}

// What llama_decode returns, and for what it throws.
constexpr int kGivenUp = 2;
constexpr int kThrown = -2;

bool on_progress(float done, void* user) {
  return (*static_cast<const std::function<bool(float)>*>(user))(done);
}

}  // namespace

std::uint64_t machine_memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || page <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

std::string llama_version_text() {
  return llama_version();
}

// ---- Model ----

base::Result<std::shared_ptr<const Model>> Model::load(const Options& options) {
  start_library_once();
  if (access(options.path.c_str(), R_OK) != 0) {
    return base::fail(Code::NotFound, "model file " + options.path + " cannot be read",
                      "check the path and its permissions");
  }
  llama_model_params params = llama_model_default_params();
  params.vocab_only = options.vocab_only;
  params.load_mode = LLAMA_LOAD_MODE_MMAP;
  bool given_up = false;
  std::function<bool(float)> progress = [&](float done) {
    if (options.progress && !options.progress(done)) given_up = true;
    return !given_up;
  };
  params.progress_callback = on_progress;
  params.progress_callback_user_data = &progress;

  std::string errors;
  collected_errors = &errors;
  llama_model* raw = nullptr;
  try {
    raw = llama_model_load_from_file(options.path.c_str(), params);
  } catch (const std::exception& e) {
    errors = e.what();
  }
  collected_errors = nullptr;
  if (raw == nullptr) {
    if (given_up) return base::fail(Code::Cancelled, "loading the model was given up");
    return base::fail(Code::FailedPrecondition,
                      "model file " + options.path + " cannot be loaded" +
                          (errors.empty() ? std::string() : ": " + errors),
                      "the file may be damaged or of an architecture this llama.cpp does not know");
  }
  std::shared_ptr<const Model> model(new Model(raw));
  if (model->vocabulary_size() == 0) {
    return base::fail(Code::FailedPrecondition,
                      "model file " + options.path + " has no vocabulary");
  }
  if (!options.vocab_only && (!llama_model_has_decoder(raw) || llama_model_has_encoder(raw) ||
                              llama_model_is_diffusion(raw))) {
    return base::fail(Code::FailedPrecondition,
                      "model file " + options.path + " is not a text generation model",
                      "embedding, encoder and diffusion models cannot chat");
  }
  return model;
}

Model::Model(llama_model* model) : model_(model), vocab_(llama_model_get_vocab(model)) {
  if (llama_vocab_type(vocab_) != LLAMA_VOCAB_TYPE_NONE) {
    vocabulary_size_ = static_cast<std::uint32_t>(std::max(0, llama_vocab_n_tokens(vocab_)));
  }
}

Model::~Model() {
  llama_model_free(model_);
}

base::Result<std::vector<Token>> Model::tokenize(std::string_view text, bool add_bos,
                                                 bool parse_special) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 2)) {
    return base::fail(Code::InvalidArgument, "text too long for the tokenizer");
  }
  const auto size = static_cast<std::int32_t>(text.size());
  std::vector<Token> tokens(text.size() / 3 + 16);
  try {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const std::int32_t n =
          llama_tokenize(vocab_, text.data(), size, tokens.data(),
                         static_cast<std::int32_t>(tokens.size()), add_bos, parse_special);
      if (n >= 0) {
        tokens.resize(static_cast<std::size_t>(n));
        return tokens;
      }
      if (n == std::numeric_limits<std::int32_t>::min()) break;
      tokens.resize(static_cast<std::size_t>(-n));
    }
  } catch (const std::exception&) {
    return base::fail(Code::InvalidArgument, "the tokenizer refused the text");
  }
  return base::fail(Code::InvalidArgument, "text too long for the tokenizer");
}

// Byte pair and sentencepiece tokenizers lose nothing: a byte that is a token by itself is always
// covered by some token. Others drop or fold white space and accents. White space beside a special
// token may be swallowed.
Model::Coverage Model::coverage() const {
  Coverage out;
  const auto type = llama_vocab_type(vocab_);
  if (type != LLAMA_VOCAB_TYPE_BPE && type != LLAMA_VOCAB_TYPE_SPM) return out;
  bool strips = false;
  for (std::uint32_t i = 0; i < vocabulary_size_; ++i) {
    const auto token = static_cast<Token>(i);
    const std::string text = piece(token, true);
    out.longest = std::max(out.longest, text.size());
    if (text.size() == 1) out.counted[static_cast<unsigned char>(text[0])] = true;
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab_, token));
    constexpr unsigned kChanges = LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP;
    strips = strips || (attributes & kChanges) != 0;
  }
  if (strips) {
    for (const char c : {' ', '\t', '\n', '\v', '\f', '\r'}) {
      out.counted[static_cast<unsigned char>(c)] = false;
    }
  }
  return out;
}

std::uint64_t Model::tokens_at_least(std::string_view text) const {
  std::call_once(coverage_once_, [this] { coverage_ = coverage(); });
  if (coverage_.longest == 0) return 0;
  std::uint64_t bytes = 0;
  for (const char c : text) bytes += coverage_.counted[static_cast<unsigned char>(c)] ? 1 : 0;
  return bytes / coverage_.longest;
}

std::string Model::piece(Token token, bool special) const {
  if (token < 0 || static_cast<std::uint32_t>(token) >= vocabulary_size_) return {};
  std::array<char, 128> small{};
  std::int32_t n = llama_token_to_piece(vocab_, token, small.data(),
                                        static_cast<std::int32_t>(small.size()), 0, special);
  if (n >= 0) return std::string(small.data(), static_cast<std::size_t>(n));
  std::string large(static_cast<std::size_t>(-n), '\0');
  n = llama_token_to_piece(vocab_, token, large.data(), -n, 0, special);
  large.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return large;
}

bool Model::is_end(Token token) const {
  return token >= 0 && static_cast<std::uint32_t>(token) < vocabulary_size_ &&
         llama_vocab_is_eog(vocab_, token);
}

bool Model::is_control(Token token) const {
  return token >= 0 && static_cast<std::uint32_t>(token) < vocabulary_size_ &&
         llama_vocab_is_control(vocab_, token);
}

std::string Model::meta(const std::string& key) const {
  std::string value(256, '\0');
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::int32_t n =
        llama_model_meta_val_str(model_, key.c_str(), value.data(), value.size());
    if (n < 0) return {};
    if (static_cast<std::size_t>(n) < value.size()) {
      value.resize(static_cast<std::size_t>(n));
      return value;
    }
    value.assign(static_cast<std::size_t>(n) + 1, '\0');
  }
  return {};
}

std::uint64_t Model::meta_number(const std::string& key) const {
  const std::string text = meta(architecture() + "." + key);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

std::uint32_t Model::training_context() const {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(
      meta_number("context_length"), std::numeric_limits<std::int32_t>::max()));
}

std::uint64_t Model::kv_bytes_per_token() const {
  const std::uint64_t layers = meta_number("block_count");
  const std::uint64_t heads = std::max<std::uint64_t>(1, meta_number("attention.head_count"));
  std::uint64_t kv_heads = meta_number("attention.head_count_kv");
  if (kv_heads == 0) kv_heads = heads;  // absent, or differs between layers
  const std::uint64_t head = meta_number("embedding_length") / heads;
  std::uint64_t key = meta_number("attention.key_length");
  std::uint64_t value = meta_number("attention.value_length");
  if (key == 0) key = head;
  if (value == 0) value = head;
  constexpr std::uint64_t kBytesPerHalf = 2;
  return std::max<std::uint64_t>(1, layers * kv_heads * (key + value) * kBytesPerHalf);
}

ReuseKind Model::reuse_kind() const {
  if (llama_model_is_recurrent(model_) || llama_model_is_hybrid(model_)) return ReuseKind::None;
  if (architecture() == "deepseek4") return ReuseKind::None;  // partial copies end the process
  return llama_model_n_swa(model_) > 0 ? ReuseKind::Blocks : ReuseKind::BlocksAndForks;
}

// ---- Context ----

struct Context::RawBatch {
  explicit RawBatch(std::uint32_t rows)
      : batch(llama_batch_init(static_cast<std::int32_t>(rows), 0, 1)) {}
  ~RawBatch() { llama_batch_free(batch); }
  RawBatch(const RawBatch&) = delete;
  RawBatch& operator=(const RawBatch&) = delete;
  llama_batch batch;
};

base::Result<std::unique_ptr<Context>> Context::create(std::shared_ptr<const Model> model,
                                                       const Options& options) {
  if (options.cells == 0 || options.sequences_max == 0 || options.batch_tokens_max == 0 ||
      options.threads == 0 || options.outputs_max == 0 ||
      options.sequences_max + 1 > llama_max_parallel_sequences() ||
      options.batch_tokens_max <= options.sequences_max ||
      options.outputs_max > options.batch_tokens_max) {
    return contract("context options out of range");
  }
  llama_context_params params = llama_context_default_params();
  params.n_ctx = options.cells;
  params.n_batch = options.batch_tokens_max;
  params.n_ubatch =
      options.batch_tokens_max;  // never split: the shape of a prefill is ours to choose
  params.n_seq_max = options.sequences_max + 1;
  params.n_outputs_max = std::max(options.outputs_max, params.n_seq_max);  // fewer abort inside
  params.n_threads = static_cast<std::int32_t>(options.threads);
  params.n_threads_batch = static_cast<std::int32_t>(options.threads);
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.type_k = GGML_TYPE_F16;
  params.type_v = GGML_TYPE_F16;
  params.swa_full = true;  // blocks of a sliding window model stay restorable
  params.kv_unified = true;
  params.no_perf = true;
  std::string errors;
  collected_errors = &errors;
  llama_context* raw = nullptr;
  try {
    raw = llama_init_from_model(model->raw(), params);
  } catch (const std::exception& e) {
    errors = e.what();
  }
  collected_errors = nullptr;
  if (raw == nullptr) {
    return base::fail(Code::ResourceExhausted,
                      "no context of " + std::to_string(options.cells) + " tokens" +
                          (errors.empty() ? std::string() : ": " + errors),
                      "lower the context size or the memory set aside for it");
  }
  std::unique_ptr<Context> context(new Context(std::move(model), raw, options));
  if (llama_get_memory(raw) == nullptr) {
    return base::fail(Code::FailedPrecondition, "the model has no attention memory");
  }
  return context;
}

Context::Context(std::shared_ptr<const Model> model, llama_context* context, const Options& options)
    : model_(std::move(model)),
      context_(context),
      options_(options),
      ledger_(std::min(options.cells, llama_n_ctx(context)), options.sequences_max + 1),
      raw_batch_(std::make_unique<RawBatch>(options.batch_tokens_max)) {
  set_threads(options.threads);
  llama_set_abort_callback(
      context_,
      [](void* user) {
        const GiveUp* give_up = static_cast<const Context*>(user)->give_up_;
        return give_up != nullptr && (*give_up)();
      },
      this);
}

Context::~Context() {
  llama_free(context_);
}

bool Context::is_public(SequenceId sequence) const {
  return sequence >= 0 && static_cast<std::uint32_t>(sequence) < options_.sequences_max;
}

std::uint32_t Context::length(SequenceId sequence) const {
  return is_public(sequence) ? ledger_.length(sequence) : 0;
}

base::Status Context::check(const Batch& batch) const {
  if (batch.empty()) return contract("empty batch");
  if (batch.size() > options_.batch_tokens_max) return contract("batch over its limit");
  std::vector<std::uint32_t> next(options_.sequences_max);
  for (std::uint32_t s = 0; s < options_.sequences_max; ++s) {
    next[s] = ledger_.length(static_cast<SequenceId>(s));
  }
  std::uint32_t outputs = 0;
  for (const Batch::Row& row : batch.rows()) {
    if (!is_public(row.sequence)) return contract("no such sequence");
    if (row.token < 0 || static_cast<std::uint32_t>(row.token) >= model_->vocabulary_size()) {
      return contract("token outside the vocabulary");
    }
    std::uint32_t& expected = next[static_cast<std::size_t>(row.sequence)];
    if (row.position < 0 || static_cast<std::uint32_t>(row.position) != expected) {
      return contract("positions of a sequence not consecutive");
    }
    ++expected;
    if (row.output) ++outputs;
  }
  if (outputs > options_.outputs_max) return contract("too many rows want logits");
  if (batch.size() > ledger_.free()) {
    return base::fail(Code::ResourceExhausted, "the KV pool is full");
  }
  return {};
}

int Context::compute(const Batch& batch) {
  llama_batch& raw = raw_batch_->batch;
  raw.n_tokens = static_cast<std::int32_t>(batch.size());
  has_output_.assign(batch.size(), false);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Batch::Row& row = batch.rows()[i];
    raw.token[i] = row.token;
    raw.pos[i] = row.position;
    raw.n_seq_id[i] = 1;
    raw.seq_id[i][0] = row.sequence;
    raw.logits[i] = row.output ? 1 : 0;
    has_output_[i] = row.output;
  }
  try {
    const int status = llama_decode(context_, raw);
    if (status == 0) llama_synchronize(context_);
    return status;
  } catch (const std::exception&) {
    return kThrown;
  }
}

base::Status Context::decode(const Batch& batch, const GiveUp& give_up) {
  FH_TRY_VOID(check(batch));
  std::string errors;
  if (give_up) {
    give_up_ = &give_up;
    collected_errors = &errors;  // giving up is none
  }
  const int status = compute(batch);
  give_up_ = nullptr;
  collected_errors = nullptr;
  if (status == 0) {
    for (const Batch::Row& row : batch.rows()) {
      if (!ledger_.append(row.sequence, 1)) FH_BUG("cells counted wrongly");
    }
    return {};
  }
  has_output_.clear();
  if (status == 1) {
    return base::fail(Code::ResourceExhausted, "the KV pool has no room for the batch");
  }
  if (status != -1) resynchronise();
  if (status == kGivenUp) return base::fail(Code::Cancelled, "the batch was given up");
  log_function_of(errors);
  return base::fail(Code::Internal, "llama_decode failed with status " + std::to_string(status));
}

// After a failure in the middle of a batch the library keeps what was done; sequences with holes
// are dropped.
void Context::resynchronise() {
  llama_memory_t memory = llama_get_memory(context_);
  for (std::uint32_t s = 0; s < options_.sequences_max; ++s) {
    const auto sequence = static_cast<SequenceId>(s);
    const std::uint32_t ours = ledger_.length(sequence);
    const auto theirs = static_cast<std::uint32_t>(llama_memory_seq_pos_max(memory, sequence) + 1);
    if (theirs == ours) continue;
    if (theirs > ours && llama_memory_seq_rm(memory, sequence, static_cast<Position>(ours), -1)) {
      continue;
    }
    llama_memory_seq_rm(memory, sequence, -1, -1);
    ledger_.trim(sequence, 0);
  }
}

std::span<const float> Context::logits(std::size_t row) const {
  if (row >= has_output_.size() || !has_output_[row]) return {};
  const float* values = llama_get_logits_ith(context_, static_cast<std::int32_t>(row));
  if (values == nullptr) return {};
  return {values, model_->vocabulary_size()};
}

base::Status Context::fork(SequenceId from, SequenceId to, std::uint32_t length) {
  if (!is_public(from) || !is_public(to)) return contract("no such sequence");
  if (length == 0 || !ledger_.fork(from, to, length)) return contract("fork out of range");
  llama_memory_seq_cp(llama_get_memory(context_), from, to, 0, static_cast<Position>(length));
  return {};
}

base::Status Context::trim(SequenceId sequence, std::uint32_t length) {
  if (!is_public(sequence)) return contract("no such sequence");
  const std::uint32_t before = ledger_.length(sequence);
  if (before < length) return contract("trim beyond the end of a sequence");
  if (before == length) return {};
  llama_memory_t memory = llama_get_memory(context_);
  const Position begin = length == 0 ? -1 : static_cast<Position>(length);
  if (!llama_memory_seq_rm(memory, sequence, begin, -1)) {
    return base::fail(Code::Unimplemented, "this architecture cannot drop a part of a sequence");
  }
  ledger_.trim(sequence, length);
  return {};
}

void Context::clear_all() {
  llama_memory_clear(llama_get_memory(context_), false);
  ledger_.clear();
}

base::Result<BlockData> Context::save(SequenceId sequence, std::uint32_t begin, std::uint32_t end) {
  if (!is_public(sequence)) return contract("no such sequence");
  if (begin >= end || end > ledger_.length(sequence)) return contract("block out of range");
  llama_memory_t memory = llama_get_memory(context_);
  llama_memory_seq_cp(memory, sequence, scratch(), static_cast<Position>(begin),
                      static_cast<Position>(end));
  BlockData data;
  std::size_t written = 0;
  try {
    data.resize(llama_state_seq_get_size(context_, scratch()));
    written = llama_state_seq_get_data(context_, data.data(), data.size(), scratch());
  } catch (const std::exception&) {
    written = 0;
  }
  llama_memory_seq_rm(memory, scratch(), -1, -1);
  if (written == 0 || written != data.size()) {
    return base::fail(Code::Internal, "the KV block could not be saved");
  }
  return data;
}

base::Status Context::restore(SequenceId sequence, const BlockData& data, std::uint32_t begin,
                              std::uint32_t end) {
  if (!is_public(sequence)) return contract("no such sequence");
  if (begin >= end || begin != ledger_.length(sequence)) return contract("block out of order");
  const std::uint32_t count = end - begin;
  if (count > ledger_.free()) return base::fail(Code::ResourceExhausted, "the KV pool is full");
  llama_memory_t memory = llama_get_memory(context_);
  std::size_t read = 0;
  try {
    read = llama_state_seq_set_data(context_, data.data(), data.size(), scratch());
  } catch (const std::exception&) {
    read = 0;
  }
  const bool whole = read == data.size() && !data.empty() &&
                     llama_memory_seq_pos_min(memory, scratch()) == static_cast<Position>(begin) &&
                     llama_memory_seq_pos_max(memory, scratch()) == static_cast<Position>(end) - 1;
  if (whole) llama_memory_seq_cp(memory, scratch(), sequence, -1, -1);
  llama_memory_seq_rm(memory, scratch(), -1, -1);
  if (!whole) return base::fail(Code::DataLoss, "the KV block does not fit its place");
  if (!ledger_.append(sequence, count)) FH_BUG("cells counted wrongly");
  return {};
}

void Context::set_threads(std::uint32_t threads) {
  const std::uint32_t n = std::clamp(threads, 1U, options_.threads);
  if (n == threads_) return;
  threads_ = n;
  llama_set_n_threads(context_, static_cast<std::int32_t>(n), static_cast<std::int32_t>(n));
  ggml_threadpool* pool = thread_pools_.of(n);
  if (pool == nullptr) {
    llama_detach_threadpool(context_);
  } else {
    llama_attach_threadpool(context_, pool, pool);
  }
}

bool Context::consistent() const {
  llama_memory_t memory = llama_get_memory(context_);
  for (std::uint32_t s = 0; s < options_.sequences_max; ++s) {
    const auto sequence = static_cast<SequenceId>(s);
    const auto ours = static_cast<Position>(ledger_.length(sequence));
    if (llama_memory_seq_pos_max(memory, sequence) + 1 != ours) return false;
    if (ours > 0 && llama_memory_seq_pos_min(memory, sequence) != 0) return false;
  }
  return llama_memory_seq_pos_max(memory, scratch()) == -1;
}

}  // namespace fh::engine::llama
