// See model_names.h. A name is looked up as it stands first; only then are parts taken off, the
// outermost first, and after each the rest is looked up again, so that a suffix which belongs to a
// model ("qwen3.8-max", "grok-code-fast-1") is never taken for an effort.

#include "planner/model_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace fh::planner {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr int kSuffixesMax = 8;

constexpr std::array<std::string_view, 12> kRouters = {
    "auto",  "default", "router", "unknown",         "none",   "model-router",
    "agent", "premium", "best",   "openrouter/auto", "cursor", "<synthetic>"};
// What a source hangs on a model's name that does not change its price.
constexpr std::array<std::string_view, 21> kEfforts = {
    "-high",          "-medium",   "-low",
    "-xhigh",         "-minimal",  "-max",
    "-none",          "-thinking", "-reasoning",
    "-latest",        ":thinking", ":beta",
    ":exacto",        ":nitro",    "-extra-high",
    "-non-reasoning", "[1m]",      "-1m",
    "-long",          ":extended", " (amazon bedrock edition)"};
constexpr std::array<std::string_view, 9> kRegions = {"us.", "eu.", "apac.",   "global.",  "jp.",
                                                      "au.", "ca.", "us-gov.", "regional."};
constexpr std::array<std::string_view, 9> kMakers = {"anthropic.", "openai.", "meta.",
                                                     "mistral.",   "amazon.", "qwen.",
                                                     "deepseek.",  "cohere.", "google."};

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string trimmed_lower(std::string_view s) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '"'; };
  while (!s.empty() && space(s.front())) s.remove_prefix(1);
  while (!s.empty() && space(s.back())) s.remove_suffix(1);
  return lower(s);
}

bool drop_suffix(std::string& s, std::string_view suffix) {
  if (s.size() <= suffix.size() || !s.ends_with(suffix)) return false;
  s.resize(s.size() - suffix.size());
  return true;
}

bool digits(std::string_view s) {
  return !s.empty() && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
}

// "-20251001", "@20251001", "-2026-08-07".
bool drop_date(std::string& s) {
  if (s.size() > 9 && (s[s.size() - 9] == '-' || s[s.size() - 9] == '@') &&
      digits(std::string_view(s).substr(s.size() - 8)) && s[s.size() - 8] == '2') {
    s.resize(s.size() - 9);
    return true;
  }
  if (s.size() <= 11) return false;
  const std::string_view tail = std::string_view(s).substr(s.size() - 11);
  if (tail[0] != '-' || tail[5] != '-' || tail[8] != '-' || tail[1] != '2') return false;
  if (!digits(tail.substr(1, 4)) || !digits(tail.substr(6, 2)) || !digits(tail.substr(9)))
    return false;
  s.resize(s.size() - 11);
  return true;
}

// "-v1:0", "-v1", ":0", "-1:0" of cloud ids.
bool drop_revision(std::string& s) {
  const std::size_t colon = s.rfind(':');
  if (colon != s.npos && colon > 0 && digits(std::string_view(s).substr(colon + 1))) {
    s.resize(colon);
    return true;
  }
  const std::size_t v = s.rfind("-v");
  if (v != s.npos && v > 0 && s.size() - v <= 4 && digits(std::string_view(s).substr(v + 2))) {
    s.resize(v);
    return true;
  }
  return false;
}

bool drop_one(std::string& s, bool& fast) {
  if (drop_suffix(s, "-fast") || drop_suffix(s, ":fast")) {
    fast = true;
    return true;
  }
  return std::ranges::any_of(kEfforts, [&](std::string_view e) { return drop_suffix(s, e); }) ||
         drop_date(s) || drop_revision(s);
}

// "claude4.6opus", as AWS's usage types write it, is "claude-4.6-opus".
std::string with_dashes(std::string_view s) {
  const std::size_t end = std::min(s.find_first_not_of("0123456789.", 6), s.size());
  return "claude-" + std::string(s.substr(6, end - 6)) + "-" + std::string(s.substr(end));
}

// "claude-4.5-sonnet" names the model that its maker calls "claude-sonnet-4-5".
std::optional<std::string> claude_form(std::string_view s) {
  if (s.starts_with("claude") && s.size() > 7 && digits(s.substr(6, 1))) {
    return claude_form(with_dashes(s));
  }
  if (!s.starts_with("claude-")) return std::nullopt;
  std::string plain(s);
  std::ranges::replace(plain, '.', '-');
  for (const std::string_view family : {"opus", "sonnet", "haiku", "fable"}) {
    const std::string tail = "-" + std::string(family);
    if (plain.ends_with(tail) && plain.size() > tail.size() + 7) {
      const std::string version = plain.substr(7, plain.size() - 7 - tail.size());
      if (version[0] >= '0' && version[0] <= '9')
        return "claude-" + std::string(family) + "-" + version;
    }
  }
  return plain;
}

std::string strip_prefix_of(std::string_view s, auto& prefixes) {
  for (const std::string_view p : prefixes) {
    if (s.starts_with(p) && s.size() > p.size()) return std::string(s.substr(p.size()));
  }
  return {};
}

bool says_bedrock(std::string_view provider) {
  return provider.find("bedrock") != provider.npos || provider == "aws" || provider == "amazon";
}

}  // namespace

pricing::Geography geography_of(const domain::UsageRecord& record) {
  if (record.region == "us") return pricing::Geography::UsOnly;
  if (record.region == "regional") return pricing::Geography::Regional;
  return pricing::Geography::Anywhere;
}

pricing::Tier price_tier(domain::ServiceTier tier) {
  switch (tier) {
    case domain::ServiceTier::Standard: return pricing::Tier::Standard;
    case domain::ServiceTier::Batch: return pricing::Tier::Batch;
    case domain::ServiceTier::Flex: return pricing::Tier::Flex;
    case domain::ServiceTier::Priority: return pricing::Tier::Priority;
    case domain::ServiceTier::Fast: return pricing::Tier::Fast;
  }
  return pricing::Tier::Standard;
}

ModelNames::ModelNames(const pricing::PriceBook& book, std::map<std::string, std::string> own)
    : book_(book), own_(std::move(own)) {
  std::set<std::string> shared;
  for (const pricing::EntryInfo& entry : book_.entries()) {
    ids_.push_back(entry.id);
    const std::string name = lower(entry.name);
    if (!display_.try_emplace(name, entry.id).second) shared.insert(name);
  }
  // A display name of several entries has several prices: it names none of them.
  for (const std::string& name : shared) display_.erase(name);
}

std::string ModelNames::exact(std::string_view provider, std::string_view name) const {
  if (!provider.empty()) {
    const auto i = book_.entry_index(std::string(provider) + "/" + std::string(name));
    if (i) return ids_[*i];
  }
  const auto i = book_.entry_index(name);
  return i ? ids_[*i] : std::string();
}

// The name itself, without leading path parts, in Claude's own form, by display name.
std::string ModelNames::find(std::string_view provider, const std::string& name) const {
  std::string_view rest = name;
  while (true) {
    if (std::string id = exact(provider, rest); !id.empty()) return id;
    if (const auto form = claude_form(rest)) {
      if (std::string id = exact(provider, *form); !id.empty()) return id;
      if (std::string id = exact(provider, *form + "-0"); !id.empty()) return id;
    }
    const std::size_t slash = rest.find('/');
    if (slash == rest.npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (name.find(' ') == name.npos) return {};
  std::string slug = name;
  std::ranges::replace(slug, ' ', '-');
  if (std::string id = find(provider, slug); !id.empty()) return id;
  const auto it = display_.find(name);
  return it == display_.end() ? std::string() : it->second;
}

// Cloud ids carry region and maker before the model: their own entries first, the maker's after.
std::string ModelNames::find_cloud(std::string_view provider, const std::string& text) const {
  const std::string name = text.substr(text.rfind('/') + 1);  // npos + 1 is 0: the whole
  const std::string model = strip_prefix_of(name, kRegions);
  const std::string& without_region = model.empty() ? name : model;
  const std::string without_maker = strip_prefix_of(without_region, kMakers);
  const bool shaped = !without_maker.empty() && (!model.empty() || says_bedrock(provider));
  if (shaped) {
    const bool global = name.starts_with("global.") || model.empty();
    const std::string id = (global ? "global." : "regional.") + without_region;
    if (std::string found = exact("aws-bedrock", id); !found.empty()) return found;
    if (std::string found = exact("aws-bedrock", without_region); !found.empty()) return found;
  }
  if (without_maker.empty()) return {};
  return find({}, without_maker);
}

ModelName ModelNames::normalise(std::string_view provider, std::string_view name) const {
  ModelName out;
  if (name.size() > kNameBytesMax) return out;
  std::string s = trimmed_lower(name);
  const std::string from = trimmed_lower(provider);
  out.plain = s;
  if (const auto it = own_.find(std::string(name)); it != own_.end()) {
    const auto i = book_.entry_index(it->second);
    if (i) {
      out.kind = NameKind::Known;
      out.entry_id = ids_[*i];
      return out;
    }
  }
  // "Auto: Claude Haiku 4.5": a router chose, and the source says whom.
  for (const std::string_view prefix : {"auto: ", "auto:"}) {
    if (s.starts_with(prefix) && s.size() > prefix.size()) {
      s = trimmed_lower(s.substr(prefix.size()));
      break;
    }
  }
  if (s.empty() || std::ranges::find(kRouters, s) != kRouters.end()) {
    out.kind = NameKind::Router;
    return out;
  }
  for (int i = 0; i <= kSuffixesMax; ++i) {
    out.plain = s;
    std::string id = find(from, s);
    if (id.empty()) id = find_cloud(from, s);
    if (!id.empty()) {
      out.kind = NameKind::Known;
      out.entry_id = std::move(id);
      return out;
    }
    if (!drop_one(s, out.fast)) break;
  }
  return out;
}

}  // namespace fh::planner
