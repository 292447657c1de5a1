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
  EXPECT_TRUE(registry.list()->models.empty());
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
  EXPECT_EQ(registry.list()->models.size(), 1u);
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
  EXPECT_TRUE(registry.list()->models.empty());
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
  EXPECT_TRUE(registry.list()->models.empty());
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

TEST_F(RegistryTest, ADamagedManifestIsTheTroubleOfOneModel) {
  Registry registry(dir_ / "data", clock_);
  ImportOptions options;
  options.id = "tiny";
  const fs::path source = sound_file("a.gguf");
  ASSERT_TRUE(registry.import(source, options));
  const fs::path folder = dir_ / "data/models";
  const std::string sound = *base::os::read_file(folder / "tiny.json", 4096);
  std::ofstream(folder / "odd.json") << R"({"schema":"freehold.model/1"})";
  std::ofstream(folder / "torn.json") << sound.substr(0, sound.size() / 2);
  std::ofstream(folder / "copied.json") << sound;
  std::ofstream(folder / "zeros.json") << std::string(500, '\0');
  std::ofstream(folder / "long.json") << std::string(70'000, ' ');
  fs::create_directory(folder / "place.json");
  const auto listing = registry.list();
  ASSERT_TRUE(listing) << listing.error().text();
  ASSERT_EQ(listing->models.size(), 1u);
  EXPECT_EQ(listing->models[0].id, "tiny");
  std::vector<std::string> damaged;
  for (const DamagedManifest& one : listing->damaged) {
    damaged.push_back(one.id);
    EXPECT_NE(one.why.message.find(one.id + ".json"), std::string::npos) << one.why.text();
    EXPECT_NE(one.why.hint.find("--as " + one.id), std::string::npos) << one.why.text();
  }
  EXPECT_EQ(damaged, (std::vector<std::string>{"copied", "long", "odd", "place", "torn", "zeros"}));
  EXPECT_TRUE(registry.find("tiny"));
  EXPECT_EQ(registry.find("torn").error().code, base::Code::DataLoss);
  EXPECT_EQ(registry.find("other").error().code, base::Code::NotFound);
}

TEST_F(RegistryTest, AModelWithADamagedManifestIsImportedAgainOrRemoved) {
  Registry registry(dir_ / "data", clock_);
  ImportOptions options;
  const fs::path source = sound_file("a.gguf");
  for (const char* id : {"tiny", "other"}) {
    options.id = id;
    ASSERT_TRUE(registry.import(source, options));
  }
  const fs::path manifest = dir_ / "data/models/other.json";
  const auto damage = [&] {
    const std::string sound = *base::os::read_file(manifest, 4096);
    std::ofstream(manifest) << sound.substr(0, sound.size() - 20);
    EXPECT_EQ(registry.list()->damaged.size(), 1u);
  };
  damage();
  ASSERT_TRUE(registry.import(source, options));
  EXPECT_TRUE(registry.list()->damaged.empty());
  const auto model = registry.find("other");
  ASSERT_TRUE(model);
  damage();
  ASSERT_TRUE(registry.remove("tiny"));
  EXPECT_TRUE(fs::exists(registry.blob_path(*model)));  // which the damaged one still names
  const auto gone = registry.remove("other");
  ASSERT_TRUE(gone) << gone.error().text();
  EXPECT_EQ(gone->size_bytes, model->size_bytes);
  EXPECT_FALSE(fs::exists(manifest));
  EXPECT_FALSE(fs::exists(registry.blob_path(*model)));
}

}  // namespace
}  // namespace fh::registry
