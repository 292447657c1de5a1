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
