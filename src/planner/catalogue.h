#pragma once
// The facts that planning rests on: accelerators, ready systems, cost defaults and open models,
// each number with its source, date and confidence. Read from the schemas "freehold.hardware/1" and
// "freehold.models/1"; the bundled copies are data/hardware.json and data/models.json (made by
// scripts/make_catalogue). A field that a file leaves out is "not established", never zero, and is
// an empty optional here.
//
// Units: bytes, bytes per second, operations per second, USD, kW, hours. Pure values, immutable
// once parsed, readable from any thread. Pointers into a Catalogue live as long as it does. File
// formats: docs/formats/catalogue.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::planner {

enum class Confidence : std::uint8_t { High, Medium, Low };
std::string_view confidence_name(Confidence confidence);  // "high", "medium", "low"

struct Provenance {
  std::vector<std::string> sources;  // keys into Catalogue::sources()
  std::string as_of;                 // "2026-08-21", the day the fact was last read
  Confidence confidence = Confidence::Low;
  std::string note;
};

// low == high: one figure.
struct Range {
  double low = 0;
  double high = 0;
  double mid() const { return (low + high) / 2; }
  bool operator==(const Range&) const = default;
};

template <typename T>
struct Fact {
  T value{};
  Provenance from;
};

struct Source {
  std::string key, title, address;
};

enum class AcceleratorClass : std::uint8_t { Datacenter, Workstation, Consumer, Laptop, Unified };
std::string_view accelerator_class_name(AcceleratorClass accelerator_class);

struct Accelerator {
  std::string id, name, vendor;
  AcceleratorClass accelerator_class = AcceleratorClass::Datacenter;
  double memory_bytes = 0;       // what an engine can plan with (data/README rules)
  double bandwidth_bytes_s = 0;  // memory, from the sheet
  std::optional<double> bf16_flops, fp8_flops, fp4_flops, int8_flops;  // dense, FP32 accumulation
  double power_w = 0;
  std::string link_kind;    // "NVLink 4", "PCIe 5 x16", "none"
  double link_bytes_s = 0;  // per GPU, one direction; 0: no link
  int gpus_per_node = 1;
  int link_domain_gpus = 1;  // joined by that link; beyond them runs the network
  Provenance from;           // of everything above
  std::string notes;

  std::optional<Fact<double>> price_list_usd;
  std::optional<Fact<Range>> price_new_usd, price_used_usd;
  std::optional<Fact<Range>> rent_usd_per_hour;  // on demand
  std::optional<Fact<double>> rent_one_year_usd_per_hour;
  std::optional<Fact<double>> facility_kw;  // all-in utility power of one GPU
};

struct System {
  std::string id, name;
  std::string accelerator;  // id
  int count = 1;
  std::optional<Range> price_usd;
  std::optional<double> power_kw_max;
  std::optional<Range> lead_time_months;
  std::string notes;
  Provenance from;
};

// One cost default under its path in the file: "wacc.value", "pue.colocation",
// "electricity_usd_per_kwh.us_commercial", "staff.loaded_usd_per_year".
struct CostDefault {
  std::string path;
  Range value;
  Provenance from;
};

enum class AttentionKind : std::uint8_t { Gqa, Mla, Other };

struct Weights {
  std::string precision;  // "bf16", "fp8", "nvfp4", "mxfp4", "int4", ...
  double bytes = 0;
  std::string basis;  // "published" or how it was estimated
};

struct Model {
  std::string id, name, maker, hf_repo, tier, release_date;
  std::string licence, licence_note;
  Confidence licence_confidence = Confidence::Low;
  bool open_weights = true;
  bool mixture_of_experts = false;
  std::optional<double> params_total, params_active;  // absolute counts

  std::optional<int> hidden, vocab;
  std::optional<int> layers;  // all blocks
  int layers_full = 0, layers_sliding = 0, layers_recurrent = 0;
  AttentionKind attention = AttentionKind::Other;
  std::string attention_text;  // as written, "mla+sparse_index"
  std::optional<int> q_heads, kv_heads, head_dim;
  std::optional<int> kv_heads_sliding, head_dim_sliding, window;
  std::optional<int> kv_lora_rank, qk_rope_head_dim;
  std::optional<int> experts, experts_top_k, experts_shared, expert_intermediate;

  std::uint64_t context_tokens = 0;
  std::optional<double> kv_bytes_per_token;  // at two bytes per element
  double kv_fixed_bytes_per_sequence = 0;    // windows and recurrent states
  std::string kv_basis;
  std::vector<Weights> weights;
  std::string tool_call_parser, notes;
  Provenance from;

  const Weights* weights_at(std::string_view precision) const;
};

class Catalogue {
 public:
  // InvalidArgument with the place, e.g. "hardware.accelerators[3].bandwidth_tb_s". Unknown members
  // are ignored: facts are added faster than readers. Sizes and counts are bounded.
  static base::Result<Catalogue> parse(std::string_view hardware_json,
                                       std::string_view models_json);
  static const Catalogue& bundled();

  const std::vector<Accelerator>& accelerators() const { return accelerators_; }
  const std::vector<System>& systems() const { return systems_; }
  const std::vector<CostDefault>& defaults() const { return defaults_; }
  const std::vector<Model>& models() const { return models_; }
  const std::vector<Source>& sources() const { return sources_; }
  const std::string& hardware_as_of() const { return hardware_as_of_; }
  const std::string& models_as_of() const { return models_as_of_; }

  // nullptr: there is none.
  const Accelerator* accelerator(std::string_view id) const;
  const System* find_system(std::string_view id) const;
  const Model* model(std::string_view id) const;
  const CostDefault* cost_default(std::string_view path) const;

 private:
  std::vector<Accelerator> accelerators_;
  std::vector<System> systems_;
  std::vector<CostDefault> defaults_;
  std::vector<Model> models_;
  std::vector<Source> sources_;
  std::string hardware_as_of_, models_as_of_;
};

}  // namespace fh::planner
