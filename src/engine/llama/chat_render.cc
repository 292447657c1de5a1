// Running a template: the context is written as JSON and handed to llama-common's Jinja engine.
#include "engine/llama/chat_render.h"

#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <algorithm>
#include <ctime>

#include <chat.h>
#include "base/memory_budget.h"
#include "codec/json.h"

namespace fh::engine::llama {
namespace {

constexpr std::int64_t kRangeMax = 100'000;
constexpr int kNestingMax = 200;

// Deep nesting would overflow the stack of the recursive parser.
bool nesting_fits(std::string_view source) {
  int depth = 0;
  int blocks = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') depth = std::max(depth - 1, 0);
    if (c == '%' && i > 0 && source[i - 1] == '{') {
      const std::size_t word = source.find_first_not_of("-+ \t\n\r", i + 1);
      if (word == std::string_view::npos) break;
      const std::string_view rest = source.substr(word);
      for (const std::string_view opens : {"if", "for", "macro", "call", "filter", "generation"}) {
        if (rest.starts_with(opens)) ++blocks;
      }
      if (rest.starts_with("end")) blocks = std::max(blocks - 1, 0);
    }
    if (depth > kNestingMax || blocks > kNestingMax) return false;
  }
  return true;
}

jinja::value bounded_range(const jinja::func_args& args) {
  args.ensure_count(1, 3);
  std::int64_t bounds[3] = {0, 0, 1};
  for (std::size_t i = 0; i < args.count(); ++i) bounds[i] = args.get_pos(i)->as_int();
  if (args.count() == 1) std::swap(bounds[0], bounds[1]);
  const auto [start, stop, step] = bounds;
  auto out = jinja::mk_val<jinja::value_array>();
  if (step == 0) throw jinja::raised_exception("range(): the step is zero");
  std::int64_t count = 0;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
    if (++count > kRangeMax) throw jinja::raised_exception("range() is too long");
    out->push_back(jinja::mk_val<jinja::value_int>(i));
  }
  return out;
}

jinja::value constant_date(const jinja::func_args& args) {
  args.ensure_count(1, 1);
  const std::string format = args.get_pos(0)->as_string().str();
  const std::time_t day = kTemplateDay;
  std::tm broken{};
  gmtime_r(&day, &broken);
  char buffer[100];
  const std::size_t size = std::strftime(buffer, sizeof buffer, format.c_str(), &broken);
  return jinja::mk_val<jinja::value_string>(std::string(buffer, size));
}

std::unexpected<base::Error> too_costly() {
  return base::fail(base::Code::FailedPrecondition,
                    "the model's chat template takes too long or too much memory over a single "
                    "message");
}

void write_text(codec::json::Writer& out, std::string_view key, const std::string& text,
                bool typed) {
  out.key(key);
  if (!typed) {
    out.value(text);
    return;
  }
  out.array();
  out.object().member("type", "text").member("text", text).end_object();
  out.end_array();
}

void write_message(codec::json::Writer& out, const PromptMessage& message,
                   const TemplateForms& forms) {
  out.object().member("role", message.role);
  write_text(out, "content", message.text, forms.typed_content);
  if (!message.reasoning.empty()) out.member("reasoning_content", message.reasoning);
  if (!message.calls.empty()) {
    out.key("tool_calls").array();
    for (const auto& call : message.calls) {
      out.object().member("type", "function").member("id", call.id);
      out.key("function").object().member("name", call.name).key("arguments");
      const std::string text = call.arguments_json.empty() ? "{}" : call.arguments_json;
      if (forms.object_arguments) {
        out.raw(text);
      } else {
        out.value(text);
      }
      out.end_object().end_object();
    }
    out.end_array();
  }
  if (message.role == "tool") {
    if (!message.tool_name.empty()) out.member("name", message.tool_name);
    out.member("tool_call_id", message.tool_call_id);
  }
  out.end_object();
}

void write_tools(codec::json::Writer& out, const std::vector<domain::Tool>& tools) {
  out.key("tools").array();
  for (const auto& tool : tools) {
    out.object().member("type", "function").key("function").object();
    out.member("name", tool.name).member("description", tool.description);
    out.member_raw("parameters", tool.parameters_json.empty() ? "{}" : tool.parameters_json);
    out.end_object().end_object();
  }
  out.end_array();
}

}  // namespace

struct TemplateRunner::Impl {
  jinja::program program;
  std::string source;  // as the lexer normalised it
  std::string bos;
  std::string eos;
};

TemplateRunner::TemplateRunner() = default;
TemplateRunner::~TemplateRunner() = default;

base::Result<std::unique_ptr<TemplateRunner>> TemplateRunner::create(std::string_view source,
                                                                     std::string_view bos,
                                                                     std::string_view eos,
                                                                     const TemplateLimits& limits) {
  if (source.size() > kTemplateBytesMax || !nesting_fits(source)) {
    return base::fail(base::Code::FailedPrecondition,
                      "the model's chat template is too large or nested too deep");
  }
  std::unique_ptr<TemplateRunner> out(new TemplateRunner());
  out->source_ = source;
  out->limits_ = limits;
  out->impl_ = std::make_unique<Impl>();
  out->impl_->bos = bos;
  out->impl_->eos = eos;
  try {
    jinja::lexer lexer;
    const auto lexed = lexer.tokenize(out->source_);
    out->impl_->program = jinja::parse_from_tokens(lexed);
    out->impl_->source = lexed.source;
    add_template_checks(out->impl_->program);
  } catch (const std::exception&) {
    return base::fail(base::Code::FailedPrecondition, "the model's chat template cannot be parsed");
  }
  out->probe_forms();
  if (out->overrun()) return too_costly();
  return out;
}

bool TemplateRunner::prints(const PromptMessage& message, std::string_view text) const {
  PromptMessage user;
  user.role = "user";
  user.text = "FHu0";
  std::vector<PromptMessage> messages{user};
  if (message.role == "user") {
    messages[0] = message;
  } else {
    messages.push_back(message);
  }
  const auto rendered = run(messages, {});
  if (!rendered) return false;
  std::string dense;
  for (const char c : *rendered) {
    if (c != ' ' && c != '\n') dense += c;
  }
  return dense.find(text) != std::string::npos;
}

void TemplateRunner::probe_forms() {
  PromptMessage user;
  user.role = "user";
  user.text = "FHu1";
  if (!prints(user, "FHu1")) {
    if (overrun()) return;
    forms_.typed_content = true;
    if (!prints(user, "FHu1")) forms_.typed_content = false;
  }
  // Text that comes out as it is keeps the bytes that were generated; text that comes out quoted or
  // not at all does not.
  PromptMessage call;
  call.role = "assistant";
  for (const char* id : {"call_0123456789abcdefghijABCD", "abcdef012"}) {
    call.calls = {{id, "fh_probe", R"({"x": "FHy"})"}};
    forms_.object_arguments = false;
    if (prints(call, R"({"x":"FHy"})")) return;
    forms_.object_arguments = true;
    if (prints(call, "FHy")) return;
  }
}

base::Result<std::string> TemplateRunner::run(const std::vector<PromptMessage>& messages,
                                              const RenderOptions& options) const {
  codec::json::Writer out;
  out.object().key("messages").array();
  for (const auto& message : messages) write_message(out, message, forms_);
  out.end_array();
  if (options.tools != nullptr && !options.tools->empty()) write_tools(out, *options.tools);
  out.member("bos_token", impl_->bos);
  out.member("eos_token", impl_->eos);
  out.member("date_string", "01 Jan 2026").member("datetime", "Jan 01 2026");
  if (options.thinking) out.member("enable_thinking", *options.thinking);
  if (!options.effort.empty()) out.member("reasoning_effort", options.effort);
  if (options.generation_prompt) out.member("add_generation_prompt", true);
  out.end_object();
  const TemplateRun watched(limits_, out.str().size());
  base::MemoryBudget memory(template_memory_max(limits_, out.str().size()));
  try {
    jinja::context context(impl_->source);
    context.current_time = kTemplateDay;
    jinja::global_from_json(context, common_json::parse(out.str()), false);
    context.set_val("strftime_now",
                    jinja::mk_val<jinja::value_func>("strftime_now", constant_date));
    context.set_val("range", jinja::mk_val<jinja::value_func>("range", bounded_range));
    jinja::runtime runtime(context);
    const jinja::value result = runtime.execute(impl_->program);
    std::string text = jinja::runtime::gather_string_parts(result)->as_string().str();
    if (text.size() > kPromptBytesMax) {
      return base::fail_field("messages", "the rendered prompt is too large");
    }
    return text;
  } catch (const std::exception&) {
    memory.lift();
    if (memory.exceeded()) {
      overrun_ = true;
      return template_too_large();
    }
    if (watched.overrun()) {
      overrun_ = true;
      return base::fail_field("messages",
                              "the model's chat template takes too long over this conversation",
                              "template_too_slow");
    }
    // What the template says may quote the conversation: it stays here.
    return base::fail_field("messages", "the model's chat template refuses this order of messages",
                            "template_refused");
  }
}

}  // namespace fh::engine::llama
