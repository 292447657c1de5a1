// The bundled catalogue against figures read by hand from its sources, and what a wrong file says.

#include "planner/catalogue.h"

#include <gtest/gtest.h>

#include <string>

namespace fh::planner {
namespace {

const Catalogue& bundled() {
  return Catalogue::bundled();
}

TEST(BundledCatalogue, HoldsEverythingWithItsSource) {
  EXPECT_EQ(bundled().accelerators().size(), 37u);
  EXPECT_EQ(bundled().systems().size(), 10u);
  EXPECT_EQ(bundled().models().size(), 84u);
  EXPECT_EQ(bundled().hardware_as_of(), "2026-11-22");
  const auto described = [](const Provenance& from) {
    EXPECT_FALSE(from.sources.empty());
    EXPECT_EQ(from.as_of.size(), 10u);
    for (const std::string& key : from.sources) {
      bool found = false;
      for (const Source& s : bundled().sources()) found = found || s.key == key;
      EXPECT_TRUE(found) << key;
    }
  };
  for (const Accelerator& a : bundled().accelerators()) described(a.from);
  for (const System& s : bundled().systems()) described(s.from);
  for (const Model& m : bundled().models()) described(m.from);
  for (const CostDefault& d : bundled().defaults()) described(d.from);
}

TEST(BundledCatalogue, ReadsAnAccelerator) {
  const Accelerator* h200 = bundled().accelerator("h200-sxm-141");
  ASSERT_NE(h200, nullptr);
  EXPECT_DOUBLE_EQ(h200->memory_bytes, 150754820096.0);
  EXPECT_DOUBLE_EQ(h200->bandwidth_bytes_s, 4.8e12);
  EXPECT_DOUBLE_EQ(h200->fp8_flops.value(), 1979e12);
  EXPECT_FALSE(h200->fp4_flops.has_value());  // not established is not zero
  EXPECT_DOUBLE_EQ(h200->link_bytes_s, 450e9);
  EXPECT_EQ(h200->link_domain_gpus, 8);
  ASSERT_TRUE(h200->price_new_usd.has_value());
  EXPECT_EQ(h200->price_new_usd->value, (Range{28'000, 40'000}));
  EXPECT_EQ(h200->price_new_usd->from.confidence, Confidence::Low);  // its own, not the entry's
  EXPECT_EQ(h200->from.confidence, Confidence::High);
  EXPECT_EQ(h200->rent_usd_per_hour->value, (Range{3.45, 6.3}));
  EXPECT_EQ(bundled().accelerator("gb200")->link_domain_gpus, 72);
}

TEST(BundledCatalogue, UnifiedMemoryIsWhatAnEngineCanTake) {
  // 119.5 of 128 GiB.
  EXPECT_DOUBLE_EQ(bundled().accelerator("dgx-spark-gb10")->memory_bytes,
                   119.5 * 1024 * 1024 * 1024);
  // A data-centre card without a byte count: 192 GiB.
  EXPECT_DOUBLE_EQ(bundled().accelerator("mi300x")->memory_bytes, 192.0 * 1024 * 1024 * 1024);
}

TEST(BundledCatalogue, ReadsSystemsAndDefaults) {
  const System* s = bundled().find_system("node-8x-b200");
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->count, 8);
  EXPECT_EQ(s->price_usd.value(), (Range{400'000, 550'000}));
  EXPECT_DOUBLE_EQ(s->power_kw_max.value(), 14.3);
  const CostDefault* wacc = bundled().cost_default("wacc.value");
  ASSERT_NE(wacc, nullptr);
  EXPECT_EQ(wacc->value, (Range{0.08, 0.08}));
  EXPECT_EQ(bundled().cost_default("pue.colocation")->value, (Range{1.25, 1.4}));
  EXPECT_EQ(bundled().cost_default("depreciation_years.observed.meta")->value, (Range{5.5, 5.5}));
  EXPECT_EQ(bundled().cost_default("pue.attic"), nullptr);
}

TEST(BundledCatalogue, ReadsModels) {
  const Model* kimi = bundled().model("kimi-k3");
  ASSERT_NE(kimi, nullptr);
  EXPECT_TRUE(kimi->mixture_of_experts);
  EXPECT_EQ(kimi->attention, AttentionKind::Mla);
  EXPECT_EQ(kimi->layers_full, 24);
  EXPECT_EQ(kimi->layers_recurrent, 69);
  EXPECT_DOUBLE_EQ(kimi->kv_bytes_per_token.value(), 27'648);
  EXPECT_DOUBLE_EQ(kimi->kv_fixed_bytes_per_sequence, 449'372'160);
  EXPECT_FALSE(kimi->params_active.has_value());  // null in the file
  const Model* oss = bundled().model("gpt-oss-120b");
  ASSERT_NE(oss, nullptr);
  EXPECT_EQ(oss->layers_sliding, 18);
  EXPECT_EQ(oss->window.value(), 128);
  EXPECT_DOUBLE_EQ(oss->weights_at("mxfp4")->bytes, 63.4e9);
  EXPECT_EQ(oss->weights_at("bf16"), nullptr);
}

// --- wrong files ----------------------------------------------------------------------------

std::string hardware(const std::string& accelerator, const std::string& systems = "") {
  return R"({"schema":"freehold.hardware/1","as_of":"2026-11-22","sources":{},"accelerators":[)" +
         accelerator + R"(],"systems":[)" + systems + R"(],"defaults":{}})";
}
const std::string kModels =
    R"({"schema":"freehold.models/1","as_of":"2026-11-22","sources":{},"entries":[]})";
std::string card(const std::string& changed) {
  return R"({"id":"x","name":"X","vendor":"v","class":"datacenter","memory_gb":80,)" + changed +
         R"("power_w":1,"source":["s"],"as_of":"2026-01-01","confidence":"low"})";
}

void refused(const std::string& hardware_text, const std::string& place) {
  const auto parsed = Catalogue::parse(hardware_text, kModels);
  ASSERT_FALSE(parsed.has_value()) << hardware_text;
  EXPECT_EQ(parsed.error().code, base::Code::InvalidArgument);
  EXPECT_NE(parsed.error().message.find(place), std::string::npos) << parsed.error().message;
}

TEST(CatalogueFile, NamesThePlaceOfAMistake) {
  EXPECT_TRUE(Catalogue::parse(hardware(card(R"("bandwidth_tb_s":3,)")), kModels).has_value());
  refused(hardware(card("")), "hardware.accelerators[0].bandwidth_tb_s");
  refused(hardware(card(R"("bandwidth_tb_s":"3",)")), "hardware.accelerators[0].bandwidth_tb_s");
  refused(hardware(card(R"("bandwidth_tb_s":-3,)")), "hardware.accelerators[0].bandwidth_tb_s");
  refused(hardware(card(R"("bandwidth_tb_s":3,"price_usd":{"new":[2,1],"source":["s"],)"
                        R"("as_of":"2026-01-01","confidence":"low"},)")),
          "price_usd.new");
  refused(hardware(card(R"("bandwidth_tb_s":3,"rent_usd_per_hour":{"on_demand":[1,2]},)")),
          "rent_usd_per_hour.source");
  const std::string good = card(R"("bandwidth_tb_s":3,)");
  refused(hardware(good + "," + good), "hardware.accelerators[1]");
  refused(hardware(good, R"({"id":"n","name":"N","accelerator":"y","count":8,"source":["s"],)"
                         R"("as_of":"2026-01-01","confidence":"low"})"),
          "hardware.systems");
  refused("{}", "hardware.schema");
  EXPECT_FALSE(Catalogue::parse("[", kModels).has_value());
}

}  // namespace
}  // namespace fh::planner
