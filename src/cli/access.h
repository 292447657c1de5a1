#pragma once
// How command-line verbs reach keys, usage and models: through the admin API of the running server,
// or, when none runs on this data folder, through the same API in this process with the store
// opened under its lock. The verb does not notice which.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/config.h"
#include "net/http.h"

namespace fh::cli {

class Access {
 public:
  virtual ~Access() = default;
  // `target` with query, e.g. "/admin/v1/usage?by=day". An answer of 400 and more is an Error with
  // what the server said.
  virtual base::Result<std::string> call(std::string_view method, std::string target,
                                         std::string body) = 0;
  virtual bool server_runs() const = 0;

  // Existing: NotFound where no Freehold has run, so that a mistyped folder is noticed.
  enum class Folder : std::uint8_t { Existing, Make };
  static base::Result<std::unique_ptr<Access>> open(const Config& config,
                                                    Folder folder = Folder::Existing);
};

// What the running server wrote down about itself: <data>/server.json.
struct RunningServer {
  std::string host;
  std::uint16_t port = 0;
  std::int64_t pid = 0;
};
base::Result<RunningServer> running_server(const Config& config);
// "http://127.0.0.1:8484/": where a browser on this machine finds what listens on `address`.
std::string url_of(std::string_view address);
base::Status write_server_file(const Config& config, const std::string& listen);
std::filesystem::path server_file(const Config& config);
std::filesystem::path admin_key_file(const Config& config);
std::filesystem::path ledger_file(const Config& config);
base::Result<base::Secret> read_admin_key(const Config& config);
// When the server refuses the key of that file.
base::Error refused_key(const std::filesystem::path& file);
// NotFound where there is no ledger, PermissionDenied where one cannot be seen.
base::Status check_data_folder(const Config& config);
// The 32 bytes under which keys are hashed; made on first use, kept 0600.
base::Result<base::Secret> load_pepper(const Config& config, base::Random& random);

}  // namespace fh::cli
