// See record_codec.h. Writing and reading go through the same list of fields, so that they cannot
// drift apart.

#include "ledger/store/journal/record_codec.h"

#include <cstring>
#include <type_traits>

namespace fh::ledger {
namespace {

enum class Kind : std::uint8_t { Admission = 1, Settlement = 2 };

class Out {
 public:
  explicit Out(std::string& bytes) : bytes_(bytes) {}
  template <typename T>
  void field(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      field(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      field(static_cast<std::uint8_t>(value ? 1 : 0));
    } else {
      static_assert(std::is_integral_v<T>);
      std::make_unsigned_t<T> rest = static_cast<std::make_unsigned_t<T>>(value);
      for (std::size_t i = 0; i < sizeof(T); ++i) {
        bytes_.push_back(static_cast<char>(rest & 0xff));
        rest = static_cast<std::make_unsigned_t<T>>(std::uint64_t{rest} >> 8);
      }
    }
  }
  void field(const std::string& text) {
    field(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }
  void field(const std::optional<domain::MicroUsd>& money) {
    field(money.has_value());
    if (money) field(money->value);
  }
  void field(const std::vector<ApiCost>& costs) {
    field(static_cast<std::uint32_t>(costs.size()));
    for (const ApiCost& cost : costs) {
      field(cost.model);
      field(cost.cost);
    }
  }

 private:
  std::string& bytes_;
};

class In {
 public:
  explicit In(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }

  template <typename T>
  void field(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::uint8_t number = 0;
      field(number);
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t number = 0;
      field(number);
      value = number != 0;
    } else {
      static_assert(std::is_integral_v<T>);
      const std::string_view raw = take(sizeof(T));
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        number |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
      }
      value = static_cast<T>(number);
    }
  }
  void field(std::string& text) {
    std::uint32_t size = 0;
    field(size);
    text = take(size);
  }
  void field(std::optional<domain::MicroUsd>& money) {
    bool present = false;
    field(present);
    money.reset();
    if (present) field(money.emplace().value);
  }
  void field(std::vector<ApiCost>& costs) {
    std::uint32_t count = 0;
    field(count);
    costs.clear();
    for (std::uint32_t i = 0; i < count && ok_; ++i) {
      ApiCost cost;
      field(cost.model);
      field(cost.cost);
      costs.push_back(std::move(cost));
    }
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
    }
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

template <typename Side, typename A>
void each_admission_field(Side& side, A& a) {
  side.field(a.request_id);
  side.field(a.attempt);
  side.field(a.key_id);
  side.field(a.project);
  side.field(a.workload);
  side.field(a.dialect);
  side.field(a.model_requested);
  side.field(a.model_served);
  side.field(a.upstream);
  side.field(a.prompt_tokens);
  side.field(a.max_output_tokens);
  side.field(a.stream);
  side.field(a.received_unix_ns);
  side.field(a.admitted_unix_ns);
}

template <typename Side, typename S>
void each_settlement_field(Side& side, S& s) {
  side.field(s.request_id);
  side.field(s.attempt);
  side.field(s.usage.input_uncached);
  side.field(s.usage.cache_read);
  side.field(s.usage.cache_write_5m);
  side.field(s.usage.cache_write_30m);
  side.field(s.usage.cache_write_1h);
  side.field(s.usage.output);
  side.field(s.usage.reasoning);
  side.field(s.source);
  side.field(s.work.computed);
  side.field(s.work.cached);
  side.field(s.work.restored);
  side.field(s.reason);
  side.field(s.error_code);
  side.field(s.http_status);
  side.field(s.cost);
  side.field(s.charge);
  side.field(s.api_costs);
  side.field(s.price_version);
  side.field(s.timings.queue_ns);
  side.field(s.timings.prefill_ns);
  side.field(s.timings.decode_ns);
  side.field(s.first_token_unix_ns);
  side.field(s.ended_unix_ns);
}

}  // namespace

void encode_record(const Record& record, std::string& out) {
  Out side(out);
  if (const auto* admission = std::get_if<Admission>(&record)) {
    side.field(Kind::Admission);
    each_admission_field(side, *admission);
  } else {
    side.field(Kind::Settlement);
    each_settlement_field(side, std::get<Settlement>(record));
  }
}

base::Result<std::vector<Record>> decode_records(std::string_view bytes) {
  std::vector<Record> records;
  In side(bytes);
  while (side.ok() && !side.empty()) {
    Kind kind{};
    side.field(kind);
    if (kind == Kind::Admission) {
      each_admission_field(side, std::get<Admission>(records.emplace_back(Admission{})));
    } else if (kind == Kind::Settlement) {
      each_settlement_field(side, std::get<Settlement>(records.emplace_back(Settlement{})));
    } else {
      return base::fail(base::Code::DataLoss,
                        "the ledger's journal holds a record of a kind that "
                        "this release does not know",
                        "start the release that wrote it");
    }
  }
  if (side.ok()) return records;
  return base::fail(base::Code::DataLoss, "a record of the ledger's journal ends too early");
}

}  // namespace fh::ledger
