// freehold keys: create, list, revoke.
#include <fmt/format.h>

#include "base/clock.h"
#include "cli/access.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "codec/url.h"

namespace fh::cli {
namespace {

using codec::json::Document;
using codec::json::Value;

std::string text_of(Value object, std::string_view key) {
  const auto text = object[key].as_string();
  return text ? std::string(*text) : std::string();
}

base::Result<std::string> call(Access& access, const KeysArgs& args) {
  if (args.action == "list") return access.call("GET", "/admin/v1/keys", "");
  if (args.action == "revoke") {
    return access.call("DELETE", "/admin/v1/keys/" + codec::url::percent_encode(args.name), "");
  }
  codec::json::Writer w;
  w.object().member("name", args.name).member("role", args.admin ? "admin" : "member");
  w.member("project", args.project).member("workload", args.workload).end_object();
  return access.call("POST", "/admin/v1/keys", w.take());
}

int print_list(const Document& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const Value key : answer.root()["keys"].elements()) {
    const bool revoked = key["revoked_ms"].as_int().has_value();
    const std::string project = text_of(key, "project");
    rows.push_back({text_of(key, "name"), text_of(key, "id"), text_of(key, "hint"),
                    text_of(key, "role"), project.empty() ? "default" : project,
                    base::format_date(key["created_ms"].as_int().value_or(0) * 1'000'000),
                    revoked ? "revoked" : "live"});
  }
  if (rows.empty()) {
    fmt::print("No keys yet. Make one with: freehold keys create NAME\n");
    return kOk;
  }
  fmt::print("{}", table({{"NAME"}, {"ID"}, {"KEY"}, {"ROLE"}, {"PROJECT"}, {"CREATED"}, {"STATE"}},
                         rows));
  return kOk;
}

}  // namespace

int run_keys(const Config& config, const KeysArgs& args) {
  base::Result<std::unique_ptr<Access>> access = Access::open(
      config, args.action == "create" ? Access::Folder::Make : Access::Folder::Existing);
  if (!access) return print_error(access.error(), args.json);
  const base::Result<std::string> answer = call(**access, args);
  if (!answer) return print_error(answer.error(), args.json);
  if (args.json) {
    fmt::print("{}\n", *answer);
    return kOk;
  }
  const auto document = Document::parse(*answer);
  if (!document) return print_error(document.error());
  if (args.action == "list") return print_list(*document);
  if (args.action == "revoke") {
    fmt::print("Revoked {}. It stopped working now.\n", text_of(document->root(), "name"));
    return kOk;
  }
  fmt::print("{}\n", text_of(document->root(), "key"));
  fmt::print(stderr, "This key for `{}` is shown once; keep it now.\n", args.name);
  return kOk;
}

}  // namespace fh::cli
