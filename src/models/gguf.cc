#include "models/gguf.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <type_traits>

#include "models/gguf_types.h"

namespace fh::models {
namespace {

// Value types of the metadata section.
enum class ValueType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64,
};
constexpr std::uint32_t kValueTypes = 13;

std::size_t fixed_size(ValueType type) {
  switch (type) {
    case ValueType::U8:
    case ValueType::I8:
    case ValueType::Bool: return 1;
    case ValueType::U16:
    case ValueType::I16: return 2;
    case ValueType::U32:
    case ValueType::I32:
    case ValueType::F32: return 4;
    case ValueType::U64:
    case ValueType::I64:
    case ValueType::F64: return 8;
    case ValueType::String:
    case ValueType::Array: return 0;
  }
  return 0;
}

// A metadata value as far as we need it: numbers, text, lists of numbers, lengths of the rest.
struct Value {
  std::optional<std::uint64_t> number;
  std::optional<std::string> text;
  std::vector<std::uint64_t> numbers;
  std::uint64_t length = 0;  // of an array
};

class Reader {
 public:
  Reader(const ByteSource& source, const GgufLimits& limits) : source_(source), limits_(limits) {}

  base::Result<GgufFacts> read();

 private:
  base::Error corrupt(const std::string& what) const {
    return base::Error{base::Code::InvalidArgument,
                       fmt::format("not a usable GGUF file: {} (at byte {})", what, position_),
                       "download it again, or compare its SHA-256 with the publisher's",
                       {},
                       "corrupt_model"};
  }
  base::Status bytes(std::span<char> out);
  base::Status skip(std::uint64_t count);
  template <typename T>
  base::Result<T> number();
  template <typename T>
  base::Result<std::uint64_t> count_of();
  base::Result<std::string> text(std::uint64_t bytes_max, const char* what);
  base::Result<ValueType> value_type();
  base::Result<Value> value(std::string_view key);
  base::Result<std::uint64_t> scalar(ValueType type);
  base::Status array(std::string_view key, Value& out);
  base::Status metadata(std::uint64_t count);
  base::Result<GgufTensor> tensor();
  base::Status tensors(std::uint64_t count);
  base::Status place_tensors();
  void collect(const std::string& key, Value value);
  void summarise();

  const ByteSource& source_;
  const GgufLimits& limits_;
  std::uint64_t position_ = 0;
  std::uint64_t buffer_start_ = 0;
  std::string buffer_;
  GgufFacts facts_;
  std::map<std::string, Value, std::less<>> values_;
};

base::Status Reader::bytes(std::span<char> out) {
  if (out.size() > source_.size - std::min(position_, source_.size)) {
    return std::unexpected(corrupt("it ends in the middle of the header"));
  }
  if (position_ + out.size() > limits_.header_bytes_max) {
    return std::unexpected(corrupt("its header is larger than any real one"));
  }
  while (!out.empty()) {
    if (position_ < buffer_start_ || position_ >= buffer_start_ + buffer_.size()) {
      buffer_start_ = position_;
      buffer_.resize(std::min<std::uint64_t>(64 * 1024, source_.size - position_));
      FH_TRY_VOID(source_.read(buffer_start_, buffer_));
    }
    const std::uint64_t at = position_ - buffer_start_;
    const std::size_t take = std::min<std::uint64_t>(out.size(), buffer_.size() - at);
    std::memcpy(out.data(), buffer_.data() + at, take);
    out = out.subspan(take);
    position_ += take;
  }
  return {};
}

base::Status Reader::skip(std::uint64_t count) {
  if (count > source_.size - position_) {
    return std::unexpected(corrupt("it ends in the middle of the header"));
  }
  position_ += count;
  if (position_ > limits_.header_bytes_max) {
    return std::unexpected(corrupt("its header is larger than any real one"));
  }
  return {};
}

template <typename T>
base::Result<T> Reader::number() {
  char raw[sizeof(T)];
  FH_TRY_VOID(bytes(raw));
  T out;
  std::memcpy(&out, raw, sizeof out);
  return out;
}

base::Result<std::string> Reader::text(std::uint64_t bytes_max, const char* what) {
  FH_TRY(const std::uint64_t length, number<std::uint64_t>());
  if (length > bytes_max) {
    return std::unexpected(
        corrupt(fmt::format("{} of {} bytes; at most {} are allowed", what, length, bytes_max)));
  }
  std::string out(length, '\0');
  FH_TRY_VOID(bytes(out));
  return out;
}

base::Result<ValueType> Reader::value_type() {
  FH_TRY(const std::uint32_t raw, number<std::uint32_t>());
  if (raw >= kValueTypes) return std::unexpected(corrupt(fmt::format("value type {}", raw)));
  return static_cast<ValueType>(raw);
}

// A count as stored in whatever integer type. No count we use may be negative or fractional: those
// become 0.
template <typename T>
base::Result<std::uint64_t> Reader::count_of() {
  FH_TRY(const T raw, number<T>());
  if constexpr (std::is_floating_point_v<T>) {
    return 0;
  } else {
    return raw < 0 ? 0 : static_cast<std::uint64_t>(raw);
  }
}

base::Result<std::uint64_t> Reader::scalar(ValueType type) {
  switch (type) {
    case ValueType::U8:
    case ValueType::Bool: return count_of<std::uint8_t>();
    case ValueType::I8: return count_of<std::int8_t>();
    case ValueType::U16: return count_of<std::uint16_t>();
    case ValueType::I16: return count_of<std::int16_t>();
    case ValueType::U32: return count_of<std::uint32_t>();
    case ValueType::I32: return count_of<std::int32_t>();
    case ValueType::U64: return count_of<std::uint64_t>();
    case ValueType::I64: return count_of<std::int64_t>();
    case ValueType::F32: return count_of<float>();
    case ValueType::F64: return count_of<double>();
    case ValueType::String:
    case ValueType::Array: break;
  }
  return std::unexpected(corrupt("a list inside a list"));
}

base::Status Reader::array(std::string_view key, Value& out) {
  FH_TRY(const ValueType element, value_type());
  FH_TRY(out.length, number<std::uint64_t>());
  if (out.length > limits_.array_length_max) {
    return std::unexpected(corrupt(fmt::format("a list of {} elements under {}", out.length, key)));
  }
  if (element == ValueType::Array) return std::unexpected(corrupt("a list inside a list"));
  if (element == ValueType::String) {
    for (std::uint64_t i = 0; i < out.length; ++i) {
      FH_TRY(const std::uint64_t length, number<std::uint64_t>());
      if (length > limits_.string_bytes_max) {
        return std::unexpected(corrupt(fmt::format("a text of {} bytes in a list", length)));
      }
      FH_TRY_VOID(skip(length));
    }
    return {};
  }
  constexpr std::uint64_t kKept = 4096;  // per-layer lists are shorter; vocabularies are not kept
  if (out.length <= kKept) {
    for (std::uint64_t i = 0; i < out.length; ++i) {
      FH_TRY(const std::uint64_t n, scalar(element));
      out.numbers.push_back(n);
    }
    return {};
  }
  return skip(out.length * fixed_size(element));
}

base::Result<Value> Reader::value(std::string_view key) {
  FH_TRY(const ValueType type, value_type());
  Value out;
  if (type == ValueType::String) {
    const bool is_template = key.starts_with("tokenizer.chat_template");
    FH_TRY(out.text, text(is_template ? limits_.template_bytes_max : limits_.string_bytes_max,
                          is_template ? "a chat template" : "a text"));
  } else if (type == ValueType::Array) {
    FH_TRY_VOID(array(key, out));
  } else {
    FH_TRY(out.number, scalar(type));
  }
  return out;
}

base::Status Reader::metadata(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    FH_TRY(std::string key, text(1024, "a key"));
    if (key.empty()) return std::unexpected(corrupt("an empty key"));
    FH_TRY(Value entry, value(key));
    if (!values_.emplace(std::move(key), std::move(entry)).second) {
      return std::unexpected(corrupt("the same key twice"));
    }
  }
  if (const auto it = values_.find("general.alignment"); it != values_.end()) {
    const std::uint64_t alignment = it->second.number.value_or(0);
    if (alignment == 0 || alignment > 4096 || (alignment & (alignment - 1)) != 0) {
      return std::unexpected(corrupt(fmt::format("an alignment of {}", alignment)));
    }
    facts_.alignment = alignment;
  }
  return {};
}

base::Result<GgufTensor> Reader::tensor() {
  GgufTensor out;
  FH_TRY(out.name, text(1024, "a tensor name"));
  FH_TRY(const std::uint32_t rank, number<std::uint32_t>());
  if (rank > 4) return std::unexpected(corrupt(fmt::format("a tensor with {} dimensions", rank)));
  out.elements = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    FH_TRY(const std::uint64_t dim, number<std::uint64_t>());
    if (dim == 0 || __builtin_mul_overflow(out.elements, dim, &out.elements) ||
        out.elements > (1ull << 60)) {
      return std::unexpected(corrupt("a tensor of impossible size"));
    }
    out.dims.push_back(dim);
  }
  FH_TRY(const std::uint32_t number_of_type, number<std::uint32_t>());
  const TensorType* type = tensor_type(number_of_type);
  if (type == nullptr) {
    return std::unexpected(corrupt(fmt::format("tensor type {}", number_of_type)));
  }
  if (!out.dims.empty() && out.dims[0] % type->block_elements != 0) {
    return std::unexpected(corrupt("a tensor whose rows are no whole blocks of its type"));
  }
  out.type = type->name;
  if (__builtin_mul_overflow(out.elements / type->block_elements, type->block_bytes, &out.bytes)) {
    return std::unexpected(corrupt("a tensor of impossible size"));
  }
  FH_TRY(out.offset, number<std::uint64_t>());
  if (out.offset % facts_.alignment != 0) {
    return std::unexpected(corrupt("a tensor that is not aligned"));
  }
  return out;
}

base::Status Reader::tensors(std::uint64_t count) {
  std::set<std::string_view> names;
  facts_.tensors.reserve(std::min<std::uint64_t>(count, 4096));
  for (std::uint64_t i = 0; i < count; ++i) {
    FH_TRY(GgufTensor next, tensor());
    facts_.tensors.push_back(std::move(next));
  }
  for (const GgufTensor& each : facts_.tensors) {
    if (!names.insert(each.name).second) {
      return std::unexpected(corrupt("two tensors with one name"));
    }
  }
  return {};
}

// Every tensor lies inside the file and none overlaps another.
base::Status Reader::place_tensors() {
  const std::uint64_t mask = facts_.alignment - 1;
  const std::uint64_t data = (position_ + mask) & ~mask;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const GgufTensor& each : facts_.tensors) {
    std::uint64_t begin = 0, end = 0;
    if (__builtin_add_overflow(data, each.offset, &begin) ||
        __builtin_add_overflow(begin, each.bytes, &end) || end > source_.size) {
      return std::unexpected(
          corrupt("a tensor that lies outside the file: it is cut short or lies"));
    }
    spans.emplace_back(begin, end);
  }
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i) {
    if (spans[i].first < spans[i - 1].second) {
      return std::unexpected(corrupt("tensors that overlap"));
    }
  }
  return {};
}

void Reader::summarise() {
  const auto text_of = [&](std::string_view key) {
    const auto it = values_.find(key);
    return it != values_.end() && it->second.text ? *it->second.text : std::string();
  };
  facts_.architecture = text_of("general.architecture");
  facts_.name = text_of("general.name");
  facts_.licence = text_of("general.license");
  facts_.chat_template = text_of("tokenizer.chat_template");
  const auto number_of = [&](std::string_view suffix) -> std::uint64_t {
    const auto it = values_.find(facts_.architecture + "." + std::string(suffix));
    return it != values_.end() ? it->second.number.value_or(0) : 0;
  };
  facts_.context_length = number_of("context_length");
  facts_.block_count = number_of("block_count");
  facts_.embedding_length = number_of("embedding_length");
  facts_.head_count = number_of("attention.head_count");
  facts_.key_length = number_of("attention.key_length");
  facts_.value_length = number_of("attention.value_length");
  facts_.sliding_window = number_of("attention.sliding_window");
  const auto heads = values_.find(facts_.architecture + ".attention.head_count_kv");
  if (heads != values_.end()) {
    facts_.head_count_kv = heads->second.numbers;
    if (heads->second.number) facts_.head_count_kv = {*heads->second.number};
  } else if (facts_.head_count > 0) {
    facts_.head_count_kv = {facts_.head_count};
  }
  if (const auto it = values_.find("tokenizer.ggml.tokens"); it != values_.end()) {
    facts_.vocabulary = it->second.length;
  }
  std::map<std::string, std::uint64_t> bytes_by_type;
  for (const GgufTensor& each : facts_.tensors) {
    facts_.parameters += each.elements;
    bytes_by_type[each.type] += each.bytes;
  }
  const auto most =
      std::max_element(bytes_by_type.begin(), bytes_by_type.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != bytes_by_type.end()) facts_.quantization = most->first;
}

base::Result<GgufFacts> Reader::read() {
  char magic[4] = {};
  if (source_.size < 24) return std::unexpected(corrupt("it is too short to be one"));
  FH_TRY_VOID(bytes(magic));
  if (std::string_view(magic, 4) != "GGUF") {
    return std::unexpected(corrupt("it does not begin with GGUF"));
  }
  FH_TRY(facts_.version, number<std::uint32_t>());
  if (facts_.version != 2 && facts_.version != 3) {
    return std::unexpected(corrupt(fmt::format("version {}; 2 and 3 are known", facts_.version)));
  }
  FH_TRY(const std::uint64_t tensor_count, number<std::uint64_t>());
  FH_TRY(const std::uint64_t entry_count, number<std::uint64_t>());
  if (tensor_count > limits_.tensors_max || entry_count > limits_.entries_max) {
    return std::unexpected(
        corrupt(fmt::format("{} tensors and {} entries", tensor_count, entry_count)));
  }
  facts_.file_bytes = source_.size;
  FH_TRY_VOID(metadata(entry_count));
  FH_TRY_VOID(tensors(tensor_count));
  FH_TRY_VOID(place_tensors());
  summarise();
  if (facts_.architecture.empty()) {
    return std::unexpected(corrupt("it names no architecture"));
  }
  return std::move(facts_);
}

}  // namespace

base::Result<GgufFacts> read_gguf(const ByteSource& source, const GgufLimits& limits) {
  return Reader(source, limits).read();
}

base::Result<GgufFacts> read_gguf_file(const std::string& path, const GgufLimits& limits) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(base::error_from_errno("cannot open " + path, errno));
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return base::fail(base::Code::InvalidArgument, path + " is not a file");
  }
  ByteSource source;
  source.size = static_cast<std::uint64_t>(info.st_size);
  source.read = [fd](std::uint64_t offset, std::span<char> out) -> base::Status {
    while (!out.empty()) {
      const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(base::error_from_errno("cannot read the model", errno));
      if (got == 0) return base::fail(base::Code::DataLoss, "the model file became shorter");
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  };
  base::Result<GgufFacts> facts = read_gguf(source, limits);
  ::close(fd);
  return facts;
}

}  // namespace fh::models
