#include "registry/registry.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/os/fd.h"
#include "base/os/file.h"
#include "crypto/sha256.h"
#include "models/catalogue.h"
#include "registry/manifest.h"

namespace fh::registry {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kManifestBytesMax = 64 * 1024;
constexpr std::size_t kCopyBlock = 4 * 1024 * 1024;
constexpr std::size_t kAliasBytesMax = 128;

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::unexpected<base::Error> name_taken(std::string_view name, std::string_view by,
                                        std::string hint) {
  return base::fail(base::Code::AlreadyExists,
                    fmt::format("`{}` is already a name of the model `{}`", name, by),
                    std::move(hint));
}

// "SmolLM2 135M Instruct" -> "smollm2-135m-instruct"
std::string id_from_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter || ((c == '.' || c == '_') && !out.empty())) {
      out.push_back(c);
    } else if (c >= 'A' && c <= 'Z') {
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (!out.empty() && out.back() != '-') {
      out.push_back('-');
    }
  }
  out.resize(std::min<std::size_t>(out.size(), 64));
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  return out;
}

// The whole file again, for file systems that can neither link nor share blocks.
base::Status copy_blocks(int from, int to, std::uint64_t size, const ImportOptions& options) {
  std::string block(kCopyBlock, '\0');
  std::uint64_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(from, block.data(), block.size(), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(base::error_from_errno("cannot read the model", errno));
    if (got == 0) return base::fail(base::Code::DataLoss, "the model file became shorter");
    const auto count = static_cast<std::size_t>(got);
    if (base::Status put = base::os::write_full(to, std::string_view(block.data(), count)); !put) {
      return put;
    }
    done += count;
    if (options.progress && !options.progress("copying", done, size)) {
      return base::fail(base::Code::Cancelled, "stopped");
    }
  }
  return {};
}

std::unexpected<base::Error> not_that_model(const InstalledModel& model) {
  return base::fail(base::Code::InvalidArgument,
                    fmt::format("it is the manifest of `{}`, under another name", model.id));
}

// Reads one manifest into the list that it belongs to.
void load(const fs::path& file, Listing& listing) {
  const std::string id = file.stem().string();
  base::Result<std::string> text = base::os::read_file(file, kManifestBytesMax);
  base::Result<InstalledModel> model = text ? parse_manifest(*text) : std::unexpected(text.error());
  if (model && model->id != id) model = not_that_model(*model);
  if (model) return listing.models.push_back(*std::move(model));
  DamagedManifest damaged{id, file, std::nullopt, {}};
  damaged.why = {base::Code::DataLoss,
                 (text ? file.string() + " is damaged: " : std::string()) + model.error().message,
                 fmt::format("import the model again with --as {0}, or give it up with `freehold "
                             "models remove {0}`; then restart a server that runs",
                             id),
                 {},
                 {}};
  if (text) damaged.text = *std::move(text);
  listing.damaged.push_back(std::move(damaged));
}

// Whether a model needs this file, or may need it as far as can be known.
bool claimed(const Listing& listing, std::string_view sha256) {
  const auto may_name = [&](const DamagedManifest& damaged) {
    return !damaged.text || damaged.text->find(sha256) != std::string::npos;
  };
  const auto names = [&](const InstalledModel& model) { return model.sha256 == sha256; };
  return std::ranges::any_of(listing.models, names) ||
         std::ranges::any_of(listing.damaged, may_name);
}

// What can be done about a model's file that is not there.
base::Error without_file(const InstalledModel& model, base::Error error) {
  if (error.code != base::Code::NotFound) return error;
  error.message = fmt::format("the file of {} is gone: {}", model.id, error.message);
  error.hint = "import it again";
  return error;
}

}  // namespace

bool valid_model_id(std::string_view id) {
  if (id.empty() || id.size() > 64 || id == "default") return false;
  if (!((id[0] >= 'a' && id[0] <= 'z') || (id[0] >= '0' && id[0] <= '9'))) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

Registry::Registry(const fs::path& data_dir, const base::Clock& clock)
    : dir_(data_dir / "models"), clock_(clock) {}

fs::path Registry::blob_path(const InstalledModel& model) const {
  return blobs_dir() / (model.sha256 + ".gguf");
}

base::Result<Listing> Registry::list() const {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entry(dir_, error);
  if (error == std::errc::no_such_file_or_directory) return listing;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".json") load(entry->path(), listing);
  }
  if (error) {
    return std::unexpected(base::error_from_errno("cannot list " + dir_.string(), error.value()));
  }
  std::ranges::sort(listing.models, {}, &InstalledModel::id);
  std::ranges::sort(listing.damaged, {}, &DamagedManifest::id);
  return listing;
}

base::Result<InstalledModel> Registry::find(std::string_view id_or_alias) const {
  FH_TRY(Listing listing, list());
  std::vector<InstalledModel>& models = listing.models;
  const auto named = [&](const InstalledModel& model) {
    return model.id == id_or_alias || has(model.aliases, id_or_alias);
  };
  const auto it = std::find_if(models.begin(), models.end(), named);
  if (it == models.end()) {
    const auto damaged = std::ranges::find(listing.damaged, id_or_alias, &DamagedManifest::id);
    if (damaged != listing.damaged.end()) return std::unexpected(damaged->why);
    return base::fail(base::Code::NotFound,
                      fmt::format("no model is called `{}` here", id_or_alias),
                      "`freehold models list` shows what there is");
  }
  return std::move(*it);
}

bool valid_model_alias(std::string_view alias) {
  if (alias.empty() || alias.size() > kAliasBytesMax || alias == "default") return false;
  if (alias.ends_with(']')) return false;  // clients append marks in brackets, which are cut off
  return std::all_of(alias.begin(), alias.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

namespace {

base::Status check_name(const std::string& id) {
  if (valid_model_id(id)) return {};
  return base::fail(base::Code::InvalidArgument, fmt::format("`{}` cannot be a model's name", id),
                    "use lower-case letters, digits, '.', '_' and '-', at most 64; `default` is "
                    "an alias (--as NAME chooses the name)");
}

// A file of many is named.
base::Error in_file(const fs::path& file, base::Error error) {
  if (error.reason == "corrupt_model") error.message = file.string() + " is " + error.message;
  return error;
}

}  // namespace

base::Status Registry::settle_names(InstalledModel& model) const {
  FH_TRY_VOID(check_name(model.id));
  FH_TRY(const Listing listing, list());
  const std::vector<InstalledModel>& others = listing.models;
  std::vector<std::string> wanted = std::move(model.aliases);
  model.aliases.clear();
  for (const InstalledModel& other : others) {
    if (other.id == model.id && other.sha256 != model.sha256) {
      return base::fail(base::Code::AlreadyExists,
                        fmt::format("another model is already called `{}`", model.id),
                        "choose another name with --as, or remove that one first");
    }
    if (other.id == model.id) {
      model.aliases = other.aliases;
    } else if (has(other.aliases, model.id)) {
      return name_taken(model.id, other.id, "choose another name with --as");
    }
  }
  for (std::string& alias : wanted) {
    if (!valid_model_alias(alias)) {
      return base::fail(base::Code::InvalidArgument, fmt::format("`{}` cannot be an alias", alias),
                        "use printable characters without spaces, at most 128, no ']' at the end; "
                        "`default` is set with models.default");
    }
    if (alias == model.id || has(model.aliases, alias)) continue;
    for (const InstalledModel& other : others) {
      if (other.id == model.id) continue;
      if (other.id == alias || has(other.aliases, alias)) {
        return name_taken(alias, other.id, "choose another alias");
      }
    }
    model.aliases.push_back(std::move(alias));
  }
  return {};
}

base::Status Registry::place_blob(const fs::path& file, const InstalledModel& model,
                                  const ImportOptions& options) const {
  const fs::path target = blob_path(model);
  if (fs::exists(target)) return {};
  FH_TRY_VOID(base::os::make_folders(blobs_dir(), 0700));
  if (auto room = base::os::free_disk_bytes(blobs_dir());
      room && *room < model.size_bytes + model.size_bytes / 50) {
    return base::fail(base::Code::ResourceExhausted,
                      fmt::format("the disk of {} has no room for {} MB", blobs_dir().string(),
                                  model.size_bytes / 1'000'000),
                      "free some, or choose another data folder with --data");
  }
  const base::os::Fd from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return std::unexpected(base::error_from_errno("cannot open " + file.string(), errno));
  const fs::path staging = target.string() + ".part";
  const base::os::Fd to(::open(staging.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400));
  if (!to) {
    return std::unexpected(base::error_from_errno("cannot write " + staging.string(), errno));
  }
  // Shared blocks where the file system can; a hard link would let the owner of the source change
  // what was checked.
  if (::ioctl(to.get(), FICLONE, from.get()) != 0) {
    if (base::Status copied = copy_blocks(from.get(), to.get(), model.size_bytes, options);
        !copied) {
      ::unlink(staging.c_str());
      return copied;
    }
  }
  if (::fsync(to.get()) != 0 || ::rename(staging.c_str(), target.c_str()) != 0) {
    const int failed = errno;
    ::unlink(staging.c_str());
    return std::unexpected(base::error_from_errno("cannot write " + target.string(), failed));
  }
  return {};
}

base::Status Registry::save(const InstalledModel& model) const {
  return base::os::write_file_atomically(dir_ / (model.id + ".json"), manifest_json(model), 0600);
}

base::Result<InstalledModel> Registry::import(const fs::path& file, const ImportOptions& options) {
  if (options.progress) options.progress("checking", 0, 0);
  // Before a large file is hashed for nothing.
  if (!options.id.empty()) FH_TRY_VOID(check_name(options.id));
  auto header = models::read_gguf_file(file.string());
  if (!header) return std::unexpected(in_file(file, header.error()));
  const models::GgufFacts facts = *std::move(header);
  const auto on_hash = [&](std::uint64_t done, std::uint64_t total) {
    return !options.progress || options.progress("hashing", done, total);
  };
  FH_TRY(const crypto::Sha256Digest digest, crypto::sha256_file(file.string(), on_hash));

  InstalledModel model;
  model.sha256 = crypto::to_hex(digest);
  const models::CatalogueEntry* known = models::find_in_catalogue(model.sha256);
  model.id = !options.id.empty() ? options.id
             : known != nullptr
                 ? std::string(known->id)
                 : id_from_name(facts.name.empty() ? file.stem().string() : facts.name);
  model.display_name = known != nullptr      ? std::string(known->display_name)
                       : !facts.name.empty() ? facts.name
                                             : model.id;
  model.licence = known != nullptr ? std::string(known->licence) : facts.licence;
  if (known != nullptr) model.republisher = known->republisher;
  model.aliases = options.aliases;
  model.size_bytes = facts.file_bytes;
  model.architecture = facts.architecture;
  model.context_length = facts.context_length;
  model.parameters = facts.parameters;
  model.kv_bytes_per_token = models::kv_bytes_per_token(facts);
  model.quantization = facts.quantization;
  model.source = fs::absolute(file).string();
  model.imported_unix_ns = clock_.unix_ns();
  model.tools_in_template = facts.chat_template.find("tools") != std::string::npos;
  FH_TRY_VOID(settle_names(model));
  FH_TRY_VOID(place_blob(file, model, options));
  FH_TRY_VOID(save(model));
  return model;
}

base::Status Registry::verify(
    const InstalledModel& model,
    const std::function<bool(std::uint64_t, std::uint64_t)>& progress) const {
  const auto digest = crypto::sha256_file(blob_path(model).string(), progress);
  if (!digest) return std::unexpected(without_file(model, digest.error()));
  if (crypto::to_hex(*digest) != model.sha256) {
    return base::fail(base::Code::DataLoss,
                      fmt::format("{} is not what was imported: its file has changed", model.id),
                      "remove it and import it again; look at the disk");
  }
  return {};
}

base::Result<InstalledModel> Registry::remove(std::string_view id) {
  base::Result<InstalledModel> model = find(id);
  if (!model) {
    FH_TRY(const Listing listing, list());
    const auto damaged = std::ranges::find(listing.damaged, id, &DamagedManifest::id);
    if (damaged != listing.damaged.end()) return remove_damaged(*damaged);
    return model;
  }
  std::error_code error;
  fs::remove(dir_ / (model->id + ".json"), error);
  if (error) return base::fail(base::Code::Unavailable, "cannot remove " + model->id);
  FH_TRY(const Listing rest, list());
  if (!claimed(rest, model->sha256)) fs::remove(blob_path(*model), error);
  return model;
}

// The files that it may have named go with it, unless others name them.
base::Result<InstalledModel> Registry::remove_damaged(const DamagedManifest& damaged) {
  std::error_code error;
  fs::remove(damaged.file, error);
  if (error) return base::fail(base::Code::Unavailable, "cannot remove " + damaged.file.string());
  InstalledModel gone;
  gone.id = damaged.id;
  FH_TRY(const Listing rest, list());
  fs::directory_iterator entry(blobs_dir(), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& blob = entry->path();
    const std::string digest = blob.stem().string();
    const bool named = damaged.text && damaged.text->find(digest) != std::string::npos;
    if (!named || !crypto::digest_from_hex(digest) || claimed(rest, digest)) continue;
    std::error_code ignored;
    const std::uintmax_t size = fs::file_size(blob, ignored);
    if (!ignored && fs::remove(blob, ignored)) gone.size_bytes += size;
  }
  return gone;
}

base::Result<models::GgufFacts> Registry::facts(const InstalledModel& model) const {
  auto facts = models::read_gguf_file(blob_path(model).string());
  if (!facts) return std::unexpected(without_file(model, std::move(facts).error()));
  return facts;
}

}  // namespace fh::registry
