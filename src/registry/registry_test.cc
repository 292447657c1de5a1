#include "registry/registry.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/os/file.h"
#include "crypto/sha256.h"

namespace fh::registry {
namespace {

namespace fs = std::filesystem;

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/freehold-registry-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path sound_file(const std::string& name) const {
    const fs::path path = dir_ / name;
    fs::copy_file(fs::path(FH_SOURCE_DIR) / "tests/fuzz/corpus/gguf/sound", path);
    return path;
  }

  fs::path dir_;
  base::ManualClock clock_;
};

TEST_F(RegistryTest, ImportedModelIsListedFoundVerifiedAndRemoved) {
  Registry registry(dir_ / "data", clock_);
  ASSERT_TRUE(registry.list());
  EXPECT_TRUE(registry.list()->empty());
  ImportOptions options;
  options.id = "tiny";
  options.aliases = {"small"};
  const auto model = registry.import(sound_file("a.gguf"), options);
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->architecture, "llama");
  ASSERT_TRUE(registry.find("small"));
  EXPECT_EQ(registry.find("small")->sha256, model->sha256);
  EXPECT_TRUE(registry.verify(*model, {}));
  ASSERT_TRUE(registry.remove("tiny"));
  EXPECT_FALSE(fs::exists(registry.blob_path(*model)));
  EXPECT_EQ(registry.find("tiny").error().code, base::Code::NotFound);
}

TEST_F(RegistryTest, ImportingAgainKeepsTheAliases) {
  Registry registry(dir_ / "data", clock_);
  const fs::path source = sound_file("a.gguf");
  ImportOptions options;
  options.id = "tiny";
  options.aliases = {"small", "gpt-4o"};
  ASSERT_TRUE(registry.import(source, options));
  options.aliases = {};
  ASSERT_TRUE(registry.import(source, options));
  EXPECT_EQ(registry.find("tiny")->aliases, (std::vector<std::string>{"small", "gpt-4o"}));
  options.aliases = {"more", "small", "tiny", "more"};
  ASSERT_TRUE(registry.import(source, options));
  EXPECT_EQ(registry.find("tiny")->aliases, (std::vector<std::string>{"small", "gpt-4o", "more"}));
}

TEST_F(RegistryTest, ANameBelongsToOneModel) {
  Registry registry(dir_ / "data", clock_);
  const fs::path source = sound_file("a.gguf");
  ImportOptions options;
  options.id = "tiny";
  options.aliases = {"small"};
  ASSERT_TRUE(registry.import(source, options));
  const struct {
    const char* id;
    std::vector<std::string> aliases;
  } clashes[] = {
      {"other", {"small"}},  // another model's alias
      {"other", {"tiny"}},   // another model's id
      {"small", {}},         // an id that is another model's alias
  };
  for (const auto& clash : clashes) {
    options.id = clash.id;
    options.aliases = clash.aliases;
    const auto model = registry.import(source, options);
    ASSERT_FALSE(model) << clash.id;
    EXPECT_EQ(model.error().code, base::Code::AlreadyExists) << clash.id;
    EXPECT_NE(model.error().message.find("`tiny`"), std::string::npos) << model.error().text();
  }
  EXPECT_EQ(registry.list()->size(), 1u);
  options.id = "other";
  options.aliases = {"large"};
  EXPECT_TRUE(registry.import(source, options));
}

TEST_F(RegistryTest, AliasesThatCannotBeAskedForAreRefused) {
  Registry registry(dir_ / "data", clock_);
  const fs::path source = sound_file("a.gguf");
  const std::string long_alias(129, 'a');
  for (const std::string_view alias :
       {std::string_view("default"), std::string_view(""), std::string_view("a b"),
        std::string_view("a\n"), std::string_view("name[1m]"), std::string_view(long_alias)}) {
    ImportOptions options;
    options.id = "tiny";
    options.aliases = {std::string(alias)};
    const auto model = registry.import(source, options);
    ASSERT_FALSE(model) << alias;
    EXPECT_EQ(model.error().code, base::Code::InvalidArgument) << alias;
  }
  EXPECT_TRUE(registry.list()->empty());
  EXPECT_TRUE(valid_model_alias("org/Model-1:latest"));
}

TEST_F(RegistryTest, ChangingTheSourceLaterDoesNotChangeTheImportedModel) {
  Registry registry(dir_ / "data", clock_);
  ImportOptions options;
  options.id = "tiny";
  const fs::path source = sound_file("a.gguf");
  const auto model = registry.import(source, options);
  ASSERT_TRUE(model);
  std::ofstream(source, std::ios::app) << "changed";
  EXPECT_TRUE(registry.verify(*model, {}));
}

TEST_F(RegistryTest, ADamagedFileIsFoundByVerify) {
  Registry registry(dir_ / "data", clock_);
  ImportOptions options;
  options.id = "tiny";
  const auto model = registry.import(sound_file("a.gguf"), options);
  ASSERT_TRUE(model);
  fs::permissions(registry.blob_path(*model), fs::perms::owner_all);
  std::ofstream(registry.blob_path(*model), std::ios::app) << "x";
  EXPECT_EQ(registry.verify(*model, {}).error().code, base::Code::DataLoss);
}

TEST_F(RegistryTest, WhatIsNoModelIsRefusedAndLeavesNothingBehind) {
  Registry registry(dir_ / "data", clock_);
  const fs::path text = dir_ / "notes.gguf";
  std::ofstream(text) << "these are my notes, not a model, and long enough to be read as one";
  const auto model = registry.import(text, {});
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("not a usable GGUF file"), std::string::npos);
  EXPECT_TRUE(registry.list()->empty());
  EXPECT_FALSE(registry.import(dir_ / "nowhere.gguf", {}));
}

TEST_F(RegistryTest, NamesThatCouldLeaveTheFolderAreRefused) {
  Registry registry(dir_ / "data", clock_);
  const fs::path source = sound_file("a.gguf");
  for (const char* id : {"../x", "a/b", "default", "A", ".hidden", "x y"}) {
    ImportOptions options;
    options.id = id;
    EXPECT_FALSE(registry.import(source, options)) << id;
  }
}

TEST_F(RegistryTest, ADamagedManifestIsNamedNotSkipped) {
  Registry registry(dir_ / "data", clock_);
  fs::create_directories(dir_ / "data/models");
  std::ofstream(dir_ / "data/models/odd.json") << "{\"schema\":\"freehold.model/1\"}";
  const auto models = registry.list();
  ASSERT_FALSE(models);
  EXPECT_NE(models.error().message.find("odd.json"), std::string::npos);
}

}  // namespace
}  // namespace fh::registry
