#pragma once
// The models on this machine. A model is a file in <data>/models/blobs, named by its SHA-256, and a
// manifest <data>/models/<id>.json that says what it is called and where it came from. Import
// checks the header with our own reader, hashes the file, and links or copies it in; nothing is
// downloaded here. Format of the manifest: docs/formats/model-manifest.md.
//
// Threads: one at a time. Errors are for the terminal: what is wrong with which file, what to do.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "models/fit.h"
#include "models/gguf.h"

namespace fh::registry {

struct InstalledModel {
  std::string id;  // [a-z0-9][a-z0-9._-]*, at most 64
  std::string display_name;
  std::vector<std::string> aliases;
  std::string sha256;
  std::uint64_t size_bytes = 0;
  std::string architecture;
  std::uint64_t context_length = 0;  // the model's own
  std::uint64_t parameters = 0;
  std::uint64_t kv_bytes_per_token = 0;
  std::string quantization;
  std::string licence;      // "" = its header states none
  std::string republisher;  // "" = imported from a file
  std::string source;       // path it was imported from
  std::int64_t imported_unix_ns = 0;
  bool tools_in_template = false;
};

// A manifest that cannot be read: the trouble of that one model, never of the others.
struct DamagedManifest {
  std::string id;  // by the file's name, which anybody can have chosen
  std::filesystem::path file;
  std::optional<std::string> text;  // nullopt: not even its bytes can be had
  base::Error why;                  // names the file and says what to do
};

struct Listing {
  std::vector<InstalledModel> models;    // by id
  std::vector<DamagedManifest> damaged;  // by id
};

struct ImportOptions {
  std::string id;  // "" = the catalogue's, else made from the header's name
  // Added to those that the same model under the same name has already.
  std::vector<std::string> aliases;
  // Phase ("checking", "hashing", "copying"), bytes done, bytes in all; false stops.
  std::function<bool(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress;
};

class Registry {
 public:
  Registry(const std::filesystem::path& data_dir, const base::Clock& clock);

  base::Result<Listing> list() const;
  // DataLoss: there is such a model, and its manifest is damaged.
  base::Result<InstalledModel> find(std::string_view id_or_alias) const;
  base::Result<InstalledModel> import(const std::filesystem::path& file,
                                      const ImportOptions& options);
  // Reads the whole file again and compares; DataLoss when it is not what was imported.
  base::Status verify(const InstalledModel& model,
                      const std::function<bool(std::uint64_t, std::uint64_t)>& progress) const;
  // Works on a model with a damaged manifest too; of such a one only id and size are told.
  base::Result<InstalledModel> remove(std::string_view id);

  std::filesystem::path blob_path(const InstalledModel& model) const;
  std::filesystem::path blobs_dir() const { return dir_ / "blobs"; }
  base::Result<models::GgufFacts> facts(const InstalledModel& model) const;

 private:
  base::Status place_blob(const std::filesystem::path& file, const InstalledModel& model,
                          const ImportOptions& options) const;
  base::Status save(const InstalledModel& model) const;
  base::Result<InstalledModel> remove_damaged(const DamagedManifest& damaged);
  // Takes over the aliases of an earlier import of the same model. Error: a name that cannot be
  // one, or that another model has.
  base::Status settle_names(InstalledModel& model) const;

  std::filesystem::path dir_;
  const base::Clock& clock_;
};

// The members of the admin API's `facts` object and of `models show --json`.
std::string facts_json(const InstalledModel& model, std::uint64_t context_tokens,
                       std::uint64_t memory_bytes, const models::GgufFacts& facts);
bool valid_model_id(std::string_view id);
// Printable ASCII without spaces, at most 128, no "[1m]" at the end; not `default`, which is the
// setting models.default. Clients send such names: "gpt-4o", "org/model:tag".
bool valid_model_alias(std::string_view alias);

}  // namespace fh::registry
