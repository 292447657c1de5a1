// Goal: a credential that stands in a file is never kept: neither where its form shows what it is,
// nor where the column's name does. Method: every text of every record is searched for it.

#include <gtest/gtest.h>

#include "importers/collect.h"
#include "importers/csv_mapping.h"
#include "importers/focus.h"
#include "importers/generic_csv.h"
#include "importers/litellm.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

constexpr std::string_view kKeys[] = {"sk-ant-api03-AbCdEf0123456789AbCdEf0123456789",
                                      "sk-proj-A1b2C3d4E5f6G7h8I9",
                                      "sk-1234567890abcdef1234567890abcdef12345678",
                                      "AIzaSyA1234567890abcdefghijklmnopqrstu",
                                      "ghp_0123456789ABCDEFghijklmnopqrstuvwxyz",
                                      "AKIAIOSFODNN7EXAMPLE",
                                      "Bearer abcdefghijklmnop",
                                      "hf_AbCdEfGhIj0123456789AbCdEfGhIj",
                                      "fh-AbCdEf0123456789AbCdEf0123456789AbCdEf01234"};

std::string everything(const Collect& got) {
  std::string all;
  for (const domain::UsageRecord& r : got.records) {
    for (const std::string* text : {&r.source_id, &r.provider, &r.model, &r.region, &r.workspace,
                                    &r.key, &r.user, &r.application, &r.workload, &r.session}) {
      all += *text + '\n';
    }
  }
  for (const domain::CostRecord& c : got.costs) {
    for (const std::string* text :
         {&c.source_id, &c.provider, &c.model, &c.item, &c.service, &c.workspace}) {
      all += *text + '\n';
    }
  }
  return all;
}

TEST(Secrets, AreKnownByTheirForm) {
  for (const std::string_view key : kKeys) {
    EXPECT_EQ(name_of(key), secret_label(key)) << key;
    EXPECT_EQ(name_of(key).size(), 15U);
  }
  for (const std::string_view name :
       {"sk-learn-pipeline-of-ours", "claude-opus-4-8", "apikey_01Rj2N8SVvo6BePZj99NhmiT",
        "7d1f2c1e-55e1-4b0e-9a55-0f2f0d0f9a77", "hf_internal_team_of_testing", "eyJ", "sk-short1A",
        "Bearer of news", "ci-bot"}) {
    EXPECT_EQ(name_of(name), name);
  }
}

TEST(Secrets, AGuessedColumnOfKeysIsNotStored) {
  const Collect got = read_all(generic_csv_format(),
                               "timestamp,model,input_tokens,output_tokens,key,user\n"
                               "2026-08-01T00:00:00Z,m,1,2,hunter2,ann\n"
                               "2026-08-01T00:00:01Z,m,1,2,hunter2,sk-proj-A1b2C3d4E5f6G7h8I9\n");
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(everything(got).find("hunter2"), std::string::npos);
  EXPECT_EQ(everything(got).find("A1b2C3"), std::string::npos);
  EXPECT_EQ(got.records[0].key, secret_label("hunter2"));
  EXPECT_EQ(got.records[1].key, got.records[0].key);  // one key is still one key
  EXPECT_EQ(got.records[0].user, "ann");
}

TEST(Secrets, AMappedColumnOfKeysIsNotStored) {
  for (const std::string_view column :
       {"X-ApiKey", "token", "Secret", "api_key", "Authorization"}) {
    const std::string mapping = "[columns]\ntime = \"t\"\nmodel = \"m\"\ninput = \"i\"\nuser = \"" +
                                std::string(column) + "\"\n";
    const Collect got =
        read_all(generic_csv_format(),
                 "t,m,i," + std::string(column) + "\n2026-08-01,m,1,hunter2\n", 10, {mapping});
    ASSERT_EQ(got.records.size(), 1U) << column;
    EXPECT_EQ(got.records[0].user, secret_label("hunter2")) << column;
  }
}

TEST(Secrets, FocusAndLiteLlm) {
  const Collect focus = read_all(
      focus_format(),
      "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ProviderName,"
      "ServiceName,EffectiveCost,x_Model,x_InputTokens,x_OutputTokens,x_ApiKey\n"
      "1,USD,Usage,2026-08-01 00:00:00,2026-08-02 00:00:00,OpenAI,API,1,gpt-5,10,20,my-private\n");
  ASSERT_EQ(focus.records.size(), 1U);
  EXPECT_EQ(focus.records[0].key, secret_label("my-private"));
  const std::string hash(64, 'a'), header =
                                       "request_id,call_type,api_key,spend,prompt_tokens,"
                                       "completion_tokens,startTime,endTime,model\n";
  const auto key_of = [&](const std::string& key) {
    const Collect got = read_all(litellm_format(), header + "r1,acompletion," + key +
                                                       ",0.1,10,5,2026-08-01,2026-08-01,gpt-5\n");
    return got.records.empty() ? std::string() : got.records[0].key;
  };
  EXPECT_EQ(key_of(hash), hash);  // LiteLLM's own digest of a key
  EXPECT_EQ(key_of("litellm-dashboard"), "litellm-dashboard");
  EXPECT_EQ(key_of("some_long_private_key_of_mine"), secret_label("some_long_private_key_of_mine"));
}

}  // namespace
}  // namespace fh::importers
