// See catalogue.h. Every function takes the place it reads as text, so that an error names it.

#include "planner/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "codec/json.h"

namespace fh::planner {
namespace {

using codec::json::Value;

constexpr std::size_t kBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kEntriesMax = 10'000;
constexpr std::size_t kTextMax = 4096;
// No fact of this field is larger; a figure beyond it is a slip of units.
constexpr double kNumberMax = 1e15;
constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

std::unexpected<base::Error> bad(const std::string& at, std::string_view why) {
  return base::fail_field(at, fmt::format("catalogue, {}: {}", at, why), "catalogue_invalid");
}

base::Result<std::string> text(Value v, const std::string& at) {
  const auto s = v.as_string();
  if (!s || s->empty() || s->size() > kTextMax)
    return bad(at, "a text that is not empty is needed");
  return std::string(*s);
}

std::string text_or(Value v, std::string_view otherwise = {}) {
  return std::string(v.as_string().value_or(otherwise).substr(0, kTextMax));
}

base::Result<double> number(Value v, const std::string& at, double low = 0) {
  const auto d = v.as_double();
  if (!d || !std::isfinite(*d)) return bad(at, "a number is needed");
  if (*d < low || *d > kNumberMax) return bad(at, fmt::format("{} is out of range", *d));
  return *d;
}

base::Result<std::optional<double>> number_if(Value v, const std::string& at) {
  if (!v.exists() || v.is_null()) return std::nullopt;
  FH_TRY(const double d, number(v, at));
  return d;
}

base::Result<std::optional<int>> count_if(Value v, const std::string& at) {
  if (!v.exists() || v.is_null()) return std::nullopt;
  const auto n = v.as_int();
  if (!n || *n < 0 || *n > 100'000'000) return bad(at, "a count is needed");
  return static_cast<int>(*n);
}

// [low, high], or one number for both.
base::Result<Range> range(Value v, const std::string& at) {
  if (v.is_number()) {
    FH_TRY(const double d, number(v, at));
    return Range{d, d};
  }
  if (!v.is_array() || v.size() != 2) return bad(at, "a number or a pair [low, high] is needed");
  FH_TRY(const double low, number(v[0], at));
  FH_TRY(const double high, number(v[1], at));
  if (high < low) return bad(at, "low is above high");
  return Range{low, high};
}

bool is_date(std::string_view s) {
  if (s.size() != 10 || s[4] != '-' || s[7] != '-') return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i != 4 && i != 7 && (s[i] < '0' || s[i] > '9')) return false;
  }
  return true;
}

base::Result<Confidence> confidence(Value v, const std::string& at) {
  const auto s = v.as_string();
  if (s == "high") return Confidence::High;
  if (s == "medium") return Confidence::Medium;
  if (s == "low") return Confidence::Low;
  return bad(at, "is \"high\", \"medium\" or \"low\"");
}

base::Result<Provenance> provenance(Value v, const std::string& at) {
  Provenance out;
  if (!v["source"].is_array() || v["source"].size() == 0) return bad(at + ".source", "is missing");
  for (const Value source : v["source"].elements()) {
    FH_TRY(std::string key, text(source, at + ".source"));
    out.sources.push_back(std::move(key));
  }
  FH_TRY(out.as_of, text(v["as_of"], at + ".as_of"));
  if (!is_date(out.as_of)) return bad(at + ".as_of", "a date YYYY-MM-DD is needed");
  FH_TRY(out.confidence, confidence(v["confidence"], at + ".confidence"));
  out.note = text_or(v["note"], text_or(v["notes"]));
  return out;
}

base::Result<std::optional<Fact<Range>>> range_fact(Value v, const Provenance& from,
                                                    const std::string& at) {
  if (!v.exists() || v.is_null()) return std::nullopt;
  FH_TRY(const Range r, range(v, at));
  return Fact<Range>{r, from};
}

base::Result<std::optional<Fact<double>>> number_fact(Value v, const Provenance& from,
                                                      const std::string& at) {
  if (!v.exists() || v.is_null()) return std::nullopt;
  FH_TRY(const double d, number(v, at));
  return Fact<double>{d, from};
}

base::Result<std::optional<double>> scaled(Value v, double factor, const std::string& at) {
  FH_TRY(const std::optional<double> d, number_if(v, at));
  if (!d) return std::nullopt;
  return *d * factor;
}

base::Status read_money(Value v, const std::string& at, Accelerator& a) {
  if (const Value price = v["price_usd"]; price.is_object()) {
    const std::string where = at + ".price_usd";
    FH_TRY(const Provenance from, provenance(price, where));
    FH_TRY(a.price_list_usd, number_fact(price["list"], from, where + ".list"));
    FH_TRY(a.price_new_usd, range_fact(price["new"], from, where + ".new"));
    FH_TRY(a.price_used_usd, range_fact(price["used"], from, where + ".used"));
  }
  if (const Value rent = v["rent_usd_per_hour"]; rent.is_object()) {
    const std::string where = at + ".rent_usd_per_hour";
    FH_TRY(const Provenance from, provenance(rent, where));
    FH_TRY(a.rent_usd_per_hour, range_fact(rent["on_demand"], from, where + ".on_demand"));
    FH_TRY(a.rent_one_year_usd_per_hour, number_fact(rent["one_year"], from, where + ".one_year"));
  }
  if (const Value facility = v["facility_kw_per_gpu"]; facility.is_object()) {
    const std::string where = at + ".facility_kw_per_gpu";
    FH_TRY(const Provenance from, provenance(facility, where));
    FH_TRY(a.facility_kw, number_fact(facility["value"], from, where + ".value"));
  }
  return {};
}

base::Result<AcceleratorClass> accelerator_class_of(Value v, const std::string& at) {
  using enum AcceleratorClass;
  for (const AcceleratorClass c : {Datacenter, Workstation, Consumer, Laptop, Unified}) {
    if (v.as_string() == accelerator_class_name(c)) return c;
  }
  return bad(at, "unknown class");
}

// memory_bytes when it is known; unified machines by what an engine can take; else the sheet's GiB.
base::Result<double> memory_of(Value v, const std::string& at, AcceleratorClass c) {
  if (v["memory_bytes"].exists()) return number(v["memory_bytes"], at + ".memory_bytes", 1);
  const bool usable = v["usable_memory_gb"].exists() &&
                      (c == AcceleratorClass::Unified || c == AcceleratorClass::Laptop);
  const char* key = usable ? "usable_memory_gb" : "memory_gb";
  FH_TRY(const double gb, number(v[key], fmt::format("{}.{}", at, key), 1e-3));
  return gb * kGib;
}

base::Result<Accelerator> accelerator_of(Value v, const std::string& at) {
  Accelerator a;
  FH_TRY(a.id, text(v["id"], at + ".id"));
  FH_TRY(a.name, text(v["name"], at + ".name"));
  FH_TRY(a.vendor, text(v["vendor"], at + ".vendor"));
  FH_TRY(a.accelerator_class, accelerator_class_of(v["class"], at + ".class"));
  FH_TRY(a.memory_bytes, memory_of(v, at, a.accelerator_class));
  FH_TRY(const double bandwidth, number(v["bandwidth_tb_s"], at + ".bandwidth_tb_s", 1e-6));
  a.bandwidth_bytes_s = bandwidth * 1e12;
  const Value flops = v["tflops_dense"];
  FH_TRY(a.bf16_flops, scaled(flops["bf16"], 1e12, at + ".tflops_dense.bf16"));
  FH_TRY(a.fp8_flops, scaled(flops["fp8"], 1e12, at + ".tflops_dense.fp8"));
  FH_TRY(a.fp4_flops, scaled(flops["fp4"], 1e12, at + ".tflops_dense.fp4"));
  FH_TRY(a.int8_flops, scaled(flops["int8"], 1e12, at + ".tflops_dense.int8"));
  FH_TRY(a.power_w, number(v["power_w"], at + ".power_w"));
  a.link_kind = text_or(v["link"]["kind"], "none");
  FH_TRY(const auto link, scaled(v["link"]["gb_s_one_way"], 1e9, at + ".link.gb_s_one_way"));
  a.link_bytes_s = link.value_or(0);
  FH_TRY(const auto per_node, count_if(v["gpus_per_node"], at + ".gpus_per_node"));
  a.gpus_per_node = std::max(per_node.value_or(1), 1);
  FH_TRY(const auto domain, count_if(v["link_domain_gpus"], at + ".link_domain_gpus"));
  a.link_domain_gpus = std::max(domain.value_or(0), a.gpus_per_node);
  a.notes = text_or(v["notes"]);
  FH_TRY(a.from, provenance(v, at));
  FH_TRY_VOID(read_money(v, at, a));
  return a;
}

base::Result<System> system_of(Value v, const std::string& at) {
  System s;
  FH_TRY(s.id, text(v["id"], at + ".id"));
  FH_TRY(s.name, text(v["name"], at + ".name"));
  FH_TRY(s.accelerator, text(v["accelerator"], at + ".accelerator"));
  FH_TRY(const auto count, count_if(v["count"], at + ".count"));
  if (!count || *count < 1) return bad(at + ".count", "at least 1 is needed");
  s.count = *count;
  if (v["price_usd"].exists()) {
    FH_TRY(const Range price, range(v["price_usd"], at + ".price_usd"));
    s.price_usd = price;
  }
  FH_TRY(s.power_kw_max, number_if(v["power_kw_max"], at + ".power_kw_max"));
  if (v["lead_time_months"].exists()) {
    FH_TRY(const Range lead, range(v["lead_time_months"], at + ".lead_time_months"));
    s.lead_time_months = lead;
  }
  s.notes = text_or(v["notes"]);
  FH_TRY(s.from, provenance(v, at));
  return s;
}

// Every number below `v`, under its path.
base::Status read_defaults(Value v, const std::string& path, const Provenance& from,
                           std::vector<CostDefault>& out) {
  for (const auto& [key, value] : v.members()) {
    if (key == "source" || key == "as_of" || key == "confidence" || key == "notes") continue;
    const std::string at = fmt::format("{}.{}", path, key);
    if (value.is_object()) {
      FH_TRY_VOID(read_defaults(value, at, from, out));
    } else {
      FH_TRY(const Range r, range(value, "defaults." + at));
      out.push_back({at, r, from});
    }
    if (out.size() > kEntriesMax) return bad("defaults", "too many values");
  }
  return {};
}

base::Status read_layers(Value v, const std::string& at, Model& m) {
  FH_TRY(m.layers, count_if(v["total"], at + ".total"));
  const auto sum_of = [&](std::initializer_list<const char*> keys) -> base::Result<int> {
    int sum = 0;
    for (const char* key : keys) {
      FH_TRY(const auto n, count_if(v[key], fmt::format("{}.{}", at, key)));
      sum += n.value_or(0);
    }
    return sum;
  };
  // Sparse attention is counted as full: its savings are not modelled.
  FH_TRY(m.layers_full, sum_of({"full_attention", "sparse_attention"}));
  FH_TRY(m.layers_sliding, sum_of({"sliding_window"}));
  FH_TRY(m.layers_recurrent, sum_of({"linear_attention", "mamba2", "convolution"}));
  if (m.layers && m.layers_full + m.layers_sliding + m.layers_recurrent == 0)
    m.layers_full = *m.layers;
  return {};
}

base::Status read_attention(Value v, const std::string& at, Model& m) {
  m.attention_text = text_or(v["kind"]);
  const std::string_view kind = m.attention_text;
  m.attention = kind.starts_with("mla") || kind.find("sparse_mla") != kind.npos ? AttentionKind::Mla
                : kind.starts_with("gqa") || kind.starts_with("mqa")            ? AttentionKind::Gqa
                                                                     : AttentionKind::Other;
  const auto read = [&](const char* key, std::optional<int>& field) -> base::Status {
    FH_TRY(field, count_if(v[key], fmt::format("{}.{}", at, key)));
    return {};
  };
  FH_TRY_VOID(read("q_heads", m.q_heads));
  FH_TRY_VOID(read("kv_heads", m.kv_heads));
  FH_TRY_VOID(read("head_dim", m.head_dim));
  FH_TRY_VOID(read("kv_heads_sliding", m.kv_heads_sliding));
  FH_TRY_VOID(read("head_dim_sliding", m.head_dim_sliding));
  FH_TRY_VOID(read("window", m.window));
  FH_TRY_VOID(read("kv_lora_rank", m.kv_lora_rank));
  FH_TRY_VOID(read("qk_rope_head_dim", m.qk_rope_head_dim));
  return {};
}

base::Status read_sizes(Value v, const std::string& at, Model& m) {
  FH_TRY(m.params_total, scaled(v["params_b"]["total"], 1e9, at + ".params_b.total"));
  FH_TRY(m.params_active, scaled(v["params_b"]["active"], 1e9, at + ".params_b.active"));
  FH_TRY(m.hidden, count_if(v["dims"]["hidden"], at + ".dims.hidden"));
  FH_TRY(m.vocab, count_if(v["dims"]["vocab"], at + ".dims.vocab"));
  const Value moe = v["moe"];
  FH_TRY(m.experts, count_if(moe["experts"], at + ".moe.experts"));
  FH_TRY(m.experts_top_k, count_if(moe["top_k"], at + ".moe.top_k"));
  FH_TRY(m.experts_shared, count_if(moe["shared"], at + ".moe.shared"));
  FH_TRY(m.expert_intermediate, count_if(moe["expert_intermediate"], at + ".moe.expert_inter"));
  FH_TRY(const auto context, count_if(v["context_tokens"], at + ".context_tokens"));
  m.context_tokens = static_cast<std::uint64_t>(context.value_or(0));
  FH_TRY(m.kv_bytes_per_token, number_if(v["kv"]["bytes_per_token"], at + ".kv.bytes_per_token"));
  FH_TRY(const auto fixed, number_if(v["kv"]["fixed_bytes_per_sequence"], at + ".kv.fixed"));
  m.kv_fixed_bytes_per_sequence = fixed.value_or(0);
  m.kv_basis = text_or(v["kv"]["basis"]);
  for (const Value w : v["weights"].elements()) {
    Weights weights;
    FH_TRY(weights.precision, text(w["precision"], at + ".weights.precision"));
    FH_TRY(const double gb, number(w["gb"], at + ".weights.gb", 1e-6));
    weights.bytes = gb * 1e9;
    weights.basis = text_or(w["basis"]);
    m.weights.push_back(std::move(weights));
  }
  return {};
}

base::Result<Model> model_of(Value v, const std::string& at) {
  Model m;
  FH_TRY(m.id, text(v["id"], at + ".id"));
  FH_TRY(m.name, text(v["name"], at + ".name"));
  m.maker = text_or(v["maker"]);
  m.hf_repo = text_or(v["hf_repo"]);
  m.tier = text_or(v["tier"]);
  m.release_date = text_or(v["release_date"]);
  const Value licence = v["licence"];
  m.licence = text_or(licence["name"]);
  m.licence_note = text_or(licence["note"]);
  if (licence.exists()) {
    FH_TRY(m.licence_confidence, confidence(licence["confidence"], at + ".licence.confidence"));
  }
  m.open_weights = v["open_weights"].as_bool().value_or(true);
  FH_TRY(const std::string kind, text(v["kind"], at + ".kind"));
  if (kind != "dense" && kind != "moe") return bad(at + ".kind", "is \"dense\" or \"moe\"");
  m.mixture_of_experts = kind == "moe";
  FH_TRY_VOID(read_sizes(v, at, m));
  FH_TRY_VOID(read_layers(v["layers"], at + ".layers", m));
  FH_TRY_VOID(read_attention(v["attention"], at + ".attention", m));
  m.tool_call_parser = text_or(v["tool_call_parser"]);
  m.notes = text_or(v["notes"]);
  FH_TRY(m.from, provenance(v, at));
  return m;
}

template <typename T>
base::Result<std::vector<T>> list_of(Value v, const std::string& at,
                                     base::Result<T> (*read)(Value, const std::string&)) {
  if (!v.is_array()) return bad(at, "an array is needed");
  if (v.size() > kEntriesMax) return bad(at, "too many entries");
  std::vector<T> out;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", at, i);
    FH_TRY(T value, read(v[i], where));
    if (!ids.insert(value.id).second) {
      return bad(where, fmt::format("\"{}\" is there twice", value.id));
    }
    out.push_back(std::move(value));
  }
  return out;
}

base::Status read_sources(Value v, std::vector<Source>& out) {
  for (const auto& [key, value] : v.members()) {
    if (std::ranges::any_of(out, [&](const Source& s) { return s.key == key; })) continue;
    out.push_back({std::string(key), text_or(value["title"]), text_or(value["url"])});
    if (out.size() > kEntriesMax) return bad("sources", "too many entries");
  }
  return {};
}

base::Status check_head(Value root, std::string_view schema, std::string_view file,
                        std::string& as_of) {
  if (root["schema"].as_string() != schema) {
    return bad(fmt::format("{}.schema", file), fmt::format("must be \"{}\"", schema));
  }
  FH_TRY(as_of, text(root["as_of"], fmt::format("{}.as_of", file)));
  return {};
}

template <typename T>
const T* find_by_id(const std::vector<T>& list, std::string_view id) {
  const auto it = std::ranges::find(list, id, &T::id);
  return it == list.end() ? nullptr : &*it;
}

}  // namespace

std::string_view confidence_name(Confidence c) {
  switch (c) {
    case Confidence::High: return "high";
    case Confidence::Medium: return "medium";
    case Confidence::Low: return "low";
  }
  return "low";
}

std::string_view accelerator_class_name(AcceleratorClass c) {
  switch (c) {
    case AcceleratorClass::Datacenter: return "datacenter";
    case AcceleratorClass::Workstation: return "workstation";
    case AcceleratorClass::Consumer: return "consumer";
    case AcceleratorClass::Laptop: return "laptop";
    case AcceleratorClass::Unified: return "unified";
  }
  return "datacenter";
}

const Weights* Model::weights_at(std::string_view precision) const {
  const auto it = std::ranges::find(weights, precision, &Weights::precision);
  return it == weights.end() ? nullptr : &*it;
}

base::Result<Catalogue> Catalogue::parse(std::string_view hardware_json,
                                         std::string_view models_json) {
  codec::json::Limits limits;
  limits.bytes_max = kBytesMax;
  FH_TRY(const auto hardware, codec::json::Document::parse(hardware_json, limits));
  FH_TRY(const auto models, codec::json::Document::parse(models_json, limits));
  const Value h = hardware.root(), m = models.root();
  Catalogue out;
  FH_TRY_VOID(check_head(h, "freehold.hardware/1", "hardware", out.hardware_as_of_));
  FH_TRY_VOID(check_head(m, "freehold.models/1", "models", out.models_as_of_));
  FH_TRY(out.accelerators_,
         list_of<Accelerator>(h["accelerators"], "hardware.accelerators", accelerator_of));
  FH_TRY(out.systems_, list_of<System>(h["systems"], "hardware.systems", system_of));
  for (const System& s : out.systems_) {
    if (out.accelerator(s.accelerator) == nullptr) {
      return bad("hardware.systems",
                 fmt::format("{} names an accelerator that is not there", s.id));
    }
  }
  for (const auto& [key, value] : h["defaults"].members()) {
    const std::string path(key);
    FH_TRY(const Provenance from, provenance(value, "hardware.defaults." + path));
    FH_TRY_VOID(read_defaults(value, path, from, out.defaults_));
  }
  FH_TRY(out.models_, list_of<Model>(m["entries"], "models.entries", model_of));
  FH_TRY_VOID(read_sources(h["sources"], out.sources_));
  FH_TRY_VOID(read_sources(m["sources"], out.sources_));
  return out;
}

const Accelerator* Catalogue::accelerator(std::string_view id) const {
  return find_by_id(accelerators_, id);
}

const System* Catalogue::find_system(std::string_view id) const {
  return find_by_id(systems_, id);
}

const Model* Catalogue::model(std::string_view id) const {
  return find_by_id(models_, id);
}

const CostDefault* Catalogue::cost_default(std::string_view path) const {
  const auto it = std::ranges::find(defaults_, path, &CostDefault::path);
  return it == defaults_.end() ? nullptr : &*it;
}

}  // namespace fh::planner
