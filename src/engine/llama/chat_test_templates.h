#pragma once
// For tests: small chat templates, each with a trait of a family of real ones.

#include <string_view>

namespace fh::engine::llama {

// System messages anywhere, no tools: what most small models have.
inline constexpr std::string_view kPlainTemplate =
    R"({%- for m in messages %}{{ '[' + m.role + ']' + m.content + '[/]\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '[assistant]' }}{%- endif %})";

// Refuses systems anywhere but in front, neighbours of one role and a beginning by the assistant.
inline constexpr std::string_view kStrictTemplate =
    R"({%- for m in messages %}
{%- if m.role == 'system' and not loop.first %}{{ raise_exception('system must be first') }}{%- endif %}
{%- if loop.first and m.role == 'assistant' %}{{ raise_exception('user must be first') }}{%- endif %}
{%- if not loop.first and messages[loop.index0 - 1].role == m.role %}{{ raise_exception('alternate') }}{%- endif %}
{{- '[' + m.role + ']' + m.content + '[/]\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '[assistant]' }}{%- endif %})";

// No system role at all.
inline constexpr std::string_view kNoSystemTemplate =
    R"({%- for m in messages %}{%- if m.role == 'system' %}{{ raise_exception('no system') }}{%- endif %}{{ '[' + m.role + ']' + m.content + '[/]\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '[assistant]' }}{%- endif %})";

// Hermes calls, a date, thinking that can be switched off, reasoning of the past.
inline constexpr std::string_view kHermesTemplate =
    R"({%- if tools %}{{ '[tools ' + strftime_now('%d %b %Y') + ']' }}{%- for tool in tools %}{{ '\n' }}{{ tool | tojson }}{%- endfor %}{{ '[/]\n' }}{%- endif %}
{%- for m in messages %}{%- if m.role == 'tool' %}{{ '[tool]' + m.content + '[/]\n' }}{%- else %}{{ '[' + m.role + ']' }}{%- if m.reasoning_content %}{{ '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}{%- endif %}{{ m.content }}{%- for c in m.tool_calls %}{{ '\n<tool_call>\n{"name": "' + c.function.name + '", "arguments": ' }}{{ c.function.arguments | tojson }}{{ '}\n</tool_call>' }}{%- endfor %}{{ '[/]\n' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{ '[assistant]' }}{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %})";

// Thinking that the prompt itself opens and that cannot be switched off.
inline constexpr std::string_view kThinkingTemplate =
    R"({%- for m in messages %}{{ '[' + m.role + ']' }}{%- set text = m.content %}{%- if '</think>' in text %}{%- set text = text.split('</think>')[-1] %}{%- endif %}{{ text + '[/]\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '[assistant]<think>\n' }}{%- endif %})";

// A call format that is not Hermes.
inline constexpr std::string_view kNativeTemplate =
    R"({%- if tools -%}{{ '<|start|>tools<|sep|>\n\n' }}{%- for tool in tools -%}{{ tool | tojson }}{{ '\n' }}{%- endfor -%}{{ '<|end|>' }}{%- endif -%}
{%- for m in messages -%}{%- if m.role == 'user' or m.role == 'system' -%}{{ '<|start|>' + m.role + '<|sep|>\n\n' + m.content + '<|end|>' }}{%- elif m.role == 'tool' -%}{{ '<|start|>result<|sep|>\n\n' + m.content + '<|end|>' }}{%- else -%}{{ '<|start|>assistant<|sep|>\n\n' }}{%- if m.content -%}{{ m.content }}{%- endif -%}{%- if m.tool_calls -%}{{ '<TOOLCALL>[' }}{%- for c in m.tool_calls -%}{%- if not loop.first -%}{{ ', ' }}{%- endif -%}{{ '{"name": "' + c.function.name + '", "arguments": ' }}{{ c.function.arguments | tojson }}{{ '}' }}{%- endfor -%}{{ ']</TOOLCALL>' }}{%- endif -%}{{ '<|end|>' }}{%- endif -%}{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|start|>assistant<|sep|>\n\n' }}{%- endif -%})";

}  // namespace fh::engine::llama
