# Importing usage: what is found, what is passed over and why, twice, and paths that hold nothing.
--- file pages/usage.json
{"data":[{"starting_at":"2025-08-01T00:00:00Z","ending_at":"2025-08-02T00:00:00Z","results":[{"uncached_input_tokens":1500,"cache_read_input_tokens":200,"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},"output_tokens":500,"server_tool_use":{"web_search_requests":10},"model":"claude-opus-4-6","service_tier":"standard","context_window":"0-200k","inference_geo":"global","api_key_id":"apikey_1","account_id":null,"service_account_id":null,"workspace_id":"wrkspc_1"}]}],"has_more":false,"next_page":null}
--- file pages/notes.txt
Nothing of this is usage.
--- file strange/letter.txt
Dear reader, this is no export.
--- file report/day.parquet
PAR1 and what follows
--- command usage import report
--- output 1
Skipped:
  report/day.parquet: a Parquet file: have the report delivered as CSV with gzip, or save the table as CSV
error: nothing was read of the file: a Parquet file: have the report delivered as CSV with gzip, or save the table as CSV
--- command usage import pages --dry-run
--- output 0
Read 1 of 2 files (564 B).

FORMAT                  FILES  READ  COSTS  SKIPPED
Anthropic usage report      1     1      0        0

MODEL            RECORDS  INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING
claude-opus-4-6        1  1,500         200        1,500     500          0
total                  1  1,500         200        1,500     500          0
2025-08-01 to 2025-08-02; the classes do not overlap, reasoning is a part of output.

Nothing was stored: this was a dry run.
Skipped:
  pages/notes.txt: no known usage format
--- command usage import pages
--- output 0
Read 1 of 2 files (564 B).

FORMAT                  FILES  READ  COSTS  SKIPPED
Anthropic usage report      1     1      0        0

MODEL            RECORDS  INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING
claude-opus-4-6        1  1,500         200        1,500     500          0
total                  1  1,500         200        1,500     500          0
2025-08-01 to 2025-08-02; the classes do not overlap, reasoning is a part of output.

Stored: 1 new, 0 in place of smaller readings, 0 known before.
Skipped:
  pages/notes.txt: no known usage format
--- command usage import pages
--- output 0
Nothing new: 1 of 2 files were imported before and have not changed since.
--again reads them again.
Skipped:
  pages/notes.txt: no known usage format
--- command usage import pages --json
--- output 0
{"files":2,"files_read":1,"files_skipped":1,"records":1,"repeated":0,"costs":0,"nested":0,"parts_may_count":false,"billed_micro_usd":0,"first":"2025-08-01T00:00:00.000Z","last":"2025-08-02T00:00:00.000Z","totals":{"input_uncached":1500,"cache_read":200,"cache_write":1500,"output":500,"reasoning":0},"models":{"claude-opus-4-6":{"input_uncached":1500,"cache_read":200,"cache_write":1500,"output":500,"reasoning":0,"records":1}},"formats":{"anthropic-usage":1},"skipped":[{"file":"pages/notes.txt","line":0,"why":"no known usage format"}],"skipped_total":1,"skipped_why":{"no known usage format":1},"file_list":[{"path":"pages/notes.txt","format":"","records":0,"costs":0,"skipped":1},{"path":"pages/usage.json","format":"anthropic-usage","records":1,"costs":0,"skipped":0}],"archive":{"dry_run":false,"added":0,"replaced":0,"repeated":0}}
--- command usage import strange
--- output 1
Skipped:
  strange/letter.txt: no known usage format
error: the file is in no usage format that is known
hint: a CSV file of any kind can be read with --mapping; docs/formats has the list
--- command usage import strange --json
--- output 1
{"error":{"code":"failed_precondition","message":"the file is in no usage format that is known","hint":"a CSV file of any kind can be read with --mapping; docs/formats has the list"}}
--- command usage import no/such/folder
--- output 1
error: cannot read no/such/folder: No such file or directory
--- command usage import pages --mapping missing.toml
--- output 1
error: cannot open missing.toml: No such file or directory
--- command usage import
--- output 2
error: paths is required
hint: freehold usage import --help has examples
--- command usage forget anthropic-usage
--- output 0
Forgot 1 records of Anthropic usage report.
--- command usage import pages
--- output 0
Read 1 of 2 files (564 B).

FORMAT                  FILES  READ  COSTS  SKIPPED
Anthropic usage report      1     1      0        0

MODEL            RECORDS  INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING
claude-opus-4-6        1  1,500         200        1,500     500          0
total                  1  1,500         200        1,500     500          0
2025-08-01 to 2025-08-02; the classes do not overlap, reasoning is a part of output.

Stored: 1 new, 0 in place of smaller readings, 0 known before.
Skipped:
  pages/notes.txt: no known usage format
--- command usage forget unheard-of
--- output 1
error: there is no format unheard-of
hint: there are claude-code, codex, gemini-cli, anthropic-usage, anthropic-cost, anthropic-claude-code, openai-usage, openai-costs, bedrock, freehold, cursor, copilot, copilot-api, copilot-otel, openrouter, litellm, focus, aws-cur, azure-trace, burstgpt-trace, mooncake-trace, bailian-trace, session-trace, csv
--- file own/rows.csv
Wann;Wer;Ein;Aus
28.08.2026 14:30;m-1;1.234;12
29.08.2026 14:30;m-1;2.000;12
--- file own.toml
[columns]
time = "Wann"
model = "Wer"
input = "Ein"
output = "Aus"
--- command usage import own --mapping own.toml --dry-run
--- output 0
Read 1 of 1 files (77 B).
Every file was read as CSV, by own.toml.

FORMAT    FILES  READ  COSTS  SKIPPED
CSV file      1     2      0        0

MODEL  RECORDS  INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING
m-1          2  3,234           0            0      24          0
total        2  3,234           0            0      24          0
2026-08-28 to 2026-08-29; the classes do not overlap, reasoning is a part of output.

Nothing was stored: this was a dry run.
