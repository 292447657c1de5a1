// The command line: verbs, flags and their help. Each help text teaches by example.
#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>

#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/toml.h"

namespace fh::cli {
namespace {

struct Parsed {
  ConfigFlags flags;
  ModelsArgs models;
  KeysArgs keys;
  UsageArgs usage;
  UsageImportArgs usage_import;
  UsagePullArgs usage_pull;
  UsageForgetArgs usage_forget;
  PlanArgs plan;
  ChatArgs chat;
  DoctorArgs doctor;
  UpArgs up;
  bool version_json = false;
};

// For names: a script's empty variable must not pass for one.
const CLI::Validator kNotEmpty(
    [](const std::string& text) { return std::string(text.empty() ? "must not be empty" : ""); },
    "");

void add_up(CLI::App& app, Parsed& p) {
  CLI::App* up = app.add_subcommand("up", "start the server");
  up->footer(
      "Examples:\n"
      "  freehold up                                  serve every imported model on "
      "127.0.0.1:8484\n"
      "  freehold up --listen 0.0.0.0:8484            for other machines too\n"
      "  freehold up --data /srv/freehold             with its data somewhere else\n\n"
      "The first start makes an admin key, shows it once and keeps it in <data>/admin.key. Ctrl-C "
      "drains and stops.");
  up->add_option("--listen", p.flags.listen,
                 "address to serve; several with commas (FREEHOLD_LISTEN)")
      ->type_name("HOST:PORT");
  up->add_option("--engine-script", p.up.script,
                 "serve the scripted engine with this file instead of models (for tests)")
      ->type_name("FILE");
}

void add_chat(CLI::App& app, Parsed& p) {
  CLI::App* chat = app.add_subcommand("chat", "ask a model");
  chat->footer(
      "Examples:\n"
      "  freehold chat \"What is a prefix cache?\"      one question\n"
      "  freehold chat                                a conversation; end it with Ctrl-D\n"
      "  freehold chat --model qwen2.5-coder-1.5b --stats \"Reverse a list in C\"\n"
      "  freehold chat --json \"Say hello\"             the answer, its tokens and time as JSON");
  chat->add_option("prompt", p.chat.prompt,
                   "the question; without it, lines are read from the terminal")
      ->check(kNotEmpty);
  chat->add_option("--model,-m", p.chat.model, "model to ask")
      ->capture_default_str()
      ->type_name("NAME");
  chat->add_option("--system", p.chat.system, "instructions for the model");
  chat->add_option("--max-tokens", p.chat.max_tokens, "longest answer; 0 for as much as fits")
      ->capture_default_str()
      ->type_name("N");
  chat->add_flag("--stats", p.chat.stats,
                 "show tokens, speed and the price of the same tokens elsewhere");
  chat->add_flag("--json", p.chat.json, "print one JSON object");
}

void add_models(CLI::App& app, Parsed& p) {
  CLI::App* models = app.add_subcommand("models", "the models on this machine");
  models->require_subcommand(1);
  models->footer(
      "Examples:\n"
      "  freehold models list\n"
      "  freehold models show smollm2-135m            architecture, context, licence, origin, "
      "whether it fits\n"
      "  freehold models import ./model.gguf --as my-model\n"
      "  freehold models verify                       read every file again and compare its "
      "SHA-256\n"
      "  freehold models remove my-model");
  const auto add = [&](const char* name, const char* help) {
    CLI::App* sub = models->add_subcommand(name, help);
    sub->add_flag("--json", p.models.json, "print JSON");
    sub->callback([&p, name] { p.models.action = name; });
    return sub;
  };
  add("list", "what is here");
  add("show", "everything known of one model")
      ->add_option("name", p.models.name, "model")
      ->required()
      ->check(kNotEmpty)
      ->type_name("");
  CLI::App* import = add("import", "check a GGUF file and take it in");
  import->add_option("file", p.models.name, "the file")
      ->required()
      ->check(kNotEmpty)
      ->type_name("");
  import->add_option("--as", p.models.as, "what to call it")->type_name("NAME");
  import->add_option("--alias", p.models.aliases, "further names")->type_name("NAME");
  add("verify", "compare files with what was imported")
      ->add_option("name", p.models.name, "one model; all without it")
      ->type_name("");
  add("remove", "forget a model and delete its file")
      ->add_option("name", p.models.name, "model")
      ->required()
      ->check(kNotEmpty)
      ->type_name("");
}

void add_keys(CLI::App& app, Parsed& p) {
  CLI::App* keys = app.add_subcommand("keys", "who may call");
  keys->require_subcommand(1);
  keys->footer(
      "Examples:\n"
      "  freehold keys create alice                   a key for Alice; shown once\n"
      "  freehold keys create ci --workload nightly   its requests are tagged `nightly`\n"
      "  freehold keys list\n"
      "  freehold keys revoke alice                   stops working at once");
  const auto add = [&](const char* name, const char* help) {
    CLI::App* sub = keys->add_subcommand(name, help);
    sub->add_flag("--json", p.keys.json, "print JSON");
    sub->callback([&p, name] { p.keys.action = name; });
    return sub;
  };
  CLI::App* create = add("create", "make a key");
  create->add_option("name", p.keys.name, "what or whom it is for")
      ->required()
      ->check(kNotEmpty)
      ->type_name("");
  create->add_flag("--admin", p.keys.admin, "may use the console and these verbs");
  create
      ->add_option("--project", p.keys.project,
                   "keys of one project share the prompt cache; `default` without it")
      ->type_name("NAME");
  create
      ->add_option("--workload", p.keys.workload, "tag of its requests unless they carry their own")
      ->type_name("TAG");
  add("list", "all keys, never their text");
  add("revoke", "end a key; it stops working at once")
      ->add_option("name", p.keys.name, "name or id")
      ->required()
      ->check(kNotEmpty)
      ->type_name("");
}

void add_usage_import(CLI::App& usage, Parsed& p) {
  CLI::App* import = usage.add_subcommand("import", "read usage that was exported elsewhere");
  import->callback([&p] { p.usage.action = "import"; });
  import->footer(
      "Examples:\n"
      "  freehold usage import ~/.claude/projects        every transcript of a coding tool\n"
      "  freehold usage import november.csv pages.json   exports of providers and gateways\n"
      "  freehold usage import own.csv --mapping own.toml --dry-run\n\n"
      "Formats are told by content. Importing again changes nothing but what has grown. Counts and "
      "names are kept, never text.");
  UsageImportArgs& args = p.usage_import;
  import->add_option("paths", args.paths, "files and folders")->required()->type_name("");
  import
      ->add_option("--mapping", args.mapping,
                   "read every file as CSV, in the way that this file (TOML) says")
      ->type_name("FILE");
  import->add_flag("--dry-run", args.dry_run, "only say what is in them");
  import->add_flag("--again", args.again, "also read files that have not changed");
  import->add_flag("--json", args.json, "print one JSON object");
  CLI::App* forget = usage.add_subcommand("forget", "take an imported format out again");
  forget->callback([&p] { p.usage.action = "forget"; });
  forget->footer(
      "Example:\n"
      "  freehold usage forget claude-code            everything that transcripts brought");
  forget->add_option("format", p.usage_forget.format, "name of the format")
      ->required()
      ->type_name("");
  forget->add_flag("--json", p.usage_forget.json, "print one JSON object");
}

void add_usage_pull(CLI::App& usage, Parsed& p) {
  CLI::App* pull = usage.add_subcommand("pull", "fetch usage and costs from a provider");
  pull->callback([&p] { p.usage.action = "pull"; });
  pull->footer(
      "Examples:\n"
      "  freehold usage pull anthropic --since 2026-10-01 --key-file ~/anthropic-admin.key\n"
      "  freehold usage pull openai --since 2026-10-01 --bucket 1m\n\n"
      "Needs an admin key of the organization, in a file of mode 0600 or in "
      "FREEHOLD_ANTHROPIC_ADMIN_KEY or FREEHOLD_OPENAI_ADMIN_KEY. A later pull goes on where the "
      "last one stopped.");
  UsagePullArgs& args = p.usage_pull;
  pull->add_option("provider", args.provider, "anthropic or openai")
      ->required()
      ->check(CLI::IsMember({"anthropic", "openai"}));
  pull->add_option("--since", args.since, "first day, like 2026-11-01 (UTC)")
      ->required()
      ->type_name("DATE");
  pull->add_option("--until", args.until, "day after the last; until now without it")
      ->type_name("DATE");
  pull->add_option("--bucket", args.bucket, "how fine: 1m, 1h or 1d; costs are by day")
      ->check(CLI::IsMember({"1m", "1h", "1d"}))
      ->capture_default_str();
  pull->add_option("--key-file", args.key_file, "file with the admin key, readable by you alone")
      ->type_name("FILE");
  pull->add_option("--base-url", args.base_url, "another server that speaks the same API")
      ->type_name("URL");
  pull->add_option("--ca-file", args.ca_file, "certificate authorities to trust instead (PEM)")
      ->type_name("FILE");
  pull->add_option("--retries", args.retries, "how often a page is asked for again")
      ->check(CLI::Range(0, 20))
      ->capture_default_str();
  pull->add_flag("--again", args.again, "from --since, whatever was pulled before");
  pull->add_flag("--json", args.json, "print one JSON object");
}

void add_usage(CLI::App& app, Parsed& p) {
  CLI::App* usage =
      app.add_subcommand("usage", "what was used, and what the same tokens cost elsewhere");
  usage->footer(
      "Examples:\n"
      "  freehold usage                               by day\n"
      "  freehold usage --by workload --from 2026-11-01\n"
      "  freehold usage --by model --csv > november.csv\n"
      "  freehold usage import ~/.claude/projects     usage from elsewhere (freehold usage import "
      "--help)");
  usage->add_option("--by", p.usage.by, "day, week, model, key or workload")
      ->check(CLI::IsMember({"day", "week", "model", "key", "workload"}))
      ->capture_default_str();
  usage->add_option("--from", p.usage.from, "first day, like 2026-11-01 (UTC)")->type_name("DATE");
  usage->add_option("--to", p.usage.to, "day after the last")->type_name("DATE");
  CLI::Option* json = usage->add_flag("--json", p.usage.json, "print JSON");
  usage->add_flag("--csv", p.usage.csv, "print CSV")->excludes(json);
  usage->require_subcommand(0, 1);
  add_usage_import(*usage, p);
  add_usage_pull(*usage, p);
}

void add_plan(CLI::App& app, Parsed& p) {
  CLI::App* plan = app.add_subcommand("plan", "own, rent, hybrid or stay: what would pay");
  plan->footer(
      "Examples:\n"
      "  freehold plan                                on imported usage; an example without any\n"
      "  freehold plan --xlsx plan.xlsx               a workbook whose every total is a formula\n"
      "  freehold plan --html plan.html               a page with sliders\n"
      "  freehold plan --write-inputs scenario.toml   every assumption with its source, to change\n"
      "  freehold plan --inputs scenario.toml --json\n\n"
      "No advice is given while more than 3 % of the bill is unexplained: import the provider's "
      "cost report, too, or say --despite-gap.");
  plan->add_option("--inputs", p.plan.inputs, "scenario file (TOML)")->type_name("FILE");
  plan->add_option("--write-inputs", p.plan.write_inputs,
                   "write a scenario file with every key and its default, and stop")
      ->type_name("FILE");
  plan->add_option("--xlsx", p.plan.xlsx, "write a workbook")->type_name("FILE");
  plan->add_option("--html", p.plan.html, "write a page")->type_name("FILE");
  plan->add_flag("--despite-gap", p.plan.despite_gap, "advise although the bill is not explained");
  plan->add_flag("--example", p.plan.example, "the example company, whatever was imported");
  plan->add_option("--local-as", p.plan.local_as,
                   "plan on the requests that ran here, as if this API model had answered them")
      ->type_name("MODEL");
  plan->add_flag("--json", p.plan.json, "print one JSON object");
}

int dispatch_usage(const Config& config, const Parsed& p) {
  if (p.usage.action == "import") return run_usage_import(config, p.usage_import);
  if (p.usage.action == "pull") return run_usage_pull(config, p.usage_pull);
  if (p.usage.action == "forget") return run_usage_forget(config, p.usage_forget);
  return run_usage(config, p.usage);
}

void add_doctor(CLI::App& app, Parsed& p) {
  CLI::App* doctor = app.add_subcommand("doctor", "look at this machine and this installation");
  doctor->footer(
      "Examples:\n"
      "  freehold doctor                              machine, data, ledger, locks (proved by "
      "trying), server\n"
      "  freehold doctor --json\n"
      "  freehold doctor --ready && echo up           exit 0 when the server takes requests");
  std::vector<CLI::Option*> one_of = {
      doctor->add_flag("--json", p.doctor.json, "print JSON"),
      doctor->add_flag("--ready", p.doctor.ready, "only ask whether the server is ready"),
      doctor->add_flag("--key-path", p.doctor.key_path, "only print where the admin key lies"),
      doctor->add_flag("--url", p.doctor.url, "only print where the running server's console is")};
  for (std::size_t i = 0; i < one_of.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) one_of[i]->excludes(one_of[j]);
  }
}

bool wants_json(const Parsed& p) {
  return p.models.json || p.keys.json || p.usage.json || p.usage_import.json || p.usage_pull.json ||
         p.usage_forget.json || p.plan.json || p.chat.json || p.doctor.json;
}

int dispatch(const CLI::App& app, const Parsed& p) {
  if (app.got_subcommand("version")) return run_version(p.version_json);
  base::Result<Config> config = load_config(p.flags);
  if (!config) return print_local_error(config.error(), wants_json(p));
  if (app.got_subcommand("up")) {
    config->script = p.up.script;
    return run_up(*config, p.up);
  }
  if (app.got_subcommand("chat")) return run_chat(*config, p.chat);
  if (app.got_subcommand("models")) return run_models(*config, p.models);
  if (app.got_subcommand("keys")) return run_keys(*config, p.keys);
  if (app.got_subcommand("usage")) return dispatch_usage(*config, p);
  if (app.got_subcommand("plan")) return run_plan(*config, p.plan);
  return run_doctor(*config, p.doctor);
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

void name_groups(CLI::App& app) {
  for (CLI::App* sub : app.get_subcommands({})) {
    sub->group("Verbs");
    name_groups(*sub);
  }
}

// Says so if `word` stands where one of the app's verbs should.
bool unknown_verb(const CLI::App& app, std::string_view command, std::string_view word) {
  const std::vector<std::string> names = verb_names(app);
  const bool known = std::ranges::find(names, word) != names.end();
  if (word.starts_with('-') || names.empty() || known) return false;
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view nearest = codec::toml::nearest(word, views);
  fmt::print(stderr, "error: {} has no verb `{}`{}\n", command, word,
             nearest.empty() ? std::string() : fmt::format("; did you mean `{}`?", nearest));
  fmt::print(stderr, "hint: {} --help lists the verbs\n", command);
  return true;
}

// The two places where a word must be a verb, if only options of every verb stand before it.
bool unknown_verb(const CLI::App& app, std::span<char* const> words) {
  while (words.size() > 1) {
    const std::string_view word = words[1];
    const bool named = word == "--data" || word == "--config";
    if (!named && !word.starts_with("--data=") && !word.starts_with("--config=")) break;
    words = words.subspan(named && words.size() > 2 ? 2 : 1);
  }
  if (words.size() < 2) return false;
  if (unknown_verb(app, "freehold", words[1])) return true;
  if (words[1][0] == '-' || words.size() < 3) return false;
  return unknown_verb(*app.get_subcommand(words[1]), fmt::format("freehold {}", words[1]),
                      words[2]);
}

// The names of the verbs that were given, "freehold models import", and the last one's App.
std::pair<std::string, const CLI::App*> innermost(const CLI::App& app) {
  std::string words = app.get_name();
  const CLI::App* at = &app;
  for (auto subs = at->get_subcommands(); !subs.empty(); subs = at->get_subcommands()) {
    at = subs.front();
    words += " " + at->get_name();
  }
  return {words, at};
}

int wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto [words, at] = innermost(app);
  std::string what = error.what();
  if (error.get_name() == "RequiredError" && at->get_require_subcommand_min() > 0) {
    std::string known;
    for (const std::string& name : verb_names(*at)) known += (known.empty() ? "" : ", ") + name;
    what = fmt::format("`{}` needs one of {}", words, known);
  }
  fmt::print(stderr, "error: {}\n", what.substr(0, what.find('\n')));
  fmt::print(stderr, "hint: {} --help has examples\n", words);
  return kUsage;
}

}  // namespace

int run_cli(int argc, char** argv) {
  CLI::App app{"Freehold: own your AI instead of renting it.", "freehold"};
  Parsed p;
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("Positionals", "Arguments");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--data", p.flags.data_dir,
                 "data folder (FREEHOLD_DATA; default: ~/.local/share/freehold)")
      ->type_name("FOLDER");
  app.add_option("--config", p.flags.config_file,
                 "configuration file (default: <data>/freehold.toml if it is there)")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  freehold models import ./model.gguf          check a model and take it in\n"
      "  freehold up                                  serve it, with a console in the browser\n"
      "  freehold chat \"Hello\"                        ask it\n"
      "  freehold keys create alice                   let somebody else ask it\n"
      "  freehold VERB --help                         more of each\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no server answers, 130 "
      "interrupted.");
  add_up(app, p);
  add_chat(app, p);
  add_models(app, p);
  add_keys(app, p);
  add_usage(app, p);
  add_plan(app, p);
  add_doctor(app, p);
  CLI::App* version = app.add_subcommand("version", "what this is made of");
  version->add_flag("--json", p.version_json, "print JSON");
  version->footer(
      "Examples:\n"
      "  freehold version                             the program, llama.cpp, SQLite, the prices\n"
      "  freehold version --json");
  name_groups(app);
  if (unknown_verb(app, {argv, static_cast<std::size_t>(argc)})) return kUsage;
  if (argc == 2 && std::string_view(argv[1]) == "--version") return run_version(false);
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
    return dispatch(app, p);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return wrong_usage(app, error);
  }
}

}  // namespace fh::cli
