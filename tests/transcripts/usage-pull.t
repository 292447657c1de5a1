# Pulling usage: everything that is refused before or instead of a first page. The key is shown nowhere.
--- file open.key 644
sk-ant-admin-0123456789
--- file good.key
sk-ant-admin-0123456789
--- file two.key
sk-ant-admin 0123456789
--- command usage pull anthropic --since 2026-01-01
--- output 2
error: there is no admin key to pull with
hint: put it into a file that only you can read and name the file with --key-file, or set FREEHOLD_ANTHROPIC_ADMIN_KEY
--- command usage pull openai --since 2026-01-01 --json
--- output 2
{"error":{"code":"invalid_argument","message":"there is no admin key to pull with","hint":"put it into a file that only you can read and name the file with --key-file, or set FREEHOLD_OPENAI_ADMIN_KEY"}}
--- command usage pull anthropic --since 2026-01-01 --key-file open.key
--- output 1
error: others can read the key file open.key (mode 0644)
hint: chmod 600 open.key
--- command usage pull anthropic --since 2026-01-01 --key-file two.key
--- output 2
error: the key file two.key does not hold a key
hint: it must be the key alone, on one line
--- command usage pull anthropic --since 2026-01-01 --key-file none.key
--- output 1
error: opening the key file none.key: No such file or directory
--- command usage pull anthropic --since yesterday --key-file good.key
--- output 2
error: --since is no date: yesterday
hint: like 2026-11-01 (UTC)
--- command usage pull anthropic --since 2026-01-02 --until 2026-01-01 --key-file good.key --base-url http://127.0.0.1:1
--- output 2
error: there is no time between the beginning and the end of this pull
hint: --since must lie in the past and before --until
--- command usage pull anthropic --since 2026-01-01 --key-file good.key --base-url http://api.example.com
--- output 2
error: the base URL must begin with https://: plain http is for this machine only
hint: like https://api.example.com, or http://127.0.0.1:8080 for this machine
--- command usage pull anthropic --since 2026-01-01 --key-file good.key --base-url https://user:word@api.example.com
--- output 2
error: the base URL must not hold a user or password
hint: like https://api.example.com, or http://127.0.0.1:8080 for this machine
--- command usage pull anthropic --since 2026-01-01 --key-file good.key --ca-file none.pem
--- output 1
error: the certificate authorities cannot be read: none.pem
hint: it must be a file of certificates in PEM form
--- command usage pull anthropic --since 2026-01-01 --until 2026-01-02 --key-file good.key --base-url http://127.0.0.1:1 --retries 0
--- output 3
error: Anthropic usage: cannot reach 127.0.0.1:1
hint: nothing listens there
error: Anthropic costs: cannot reach 127.0.0.1:1
hint: nothing listens there
--- command usage pull anthropic --since 2026-01-01 --until 2026-01-02 --key-file good.key --base-url http://127.0.0.1:1 --retries 0 --json
--- output 3
{"provider":"anthropic","records":0,"costs":0,"reports":[{"report":"messages","format":"anthropic-usage","bucket":"1h","from":"2026-01-01T00:00:00Z","complete_to":"2026-01-01T00:00:00Z","pages":0,"retries":0,"up_to_date":false,"records":0,"costs":0,"added":0,"replaced":0,"repeated":0,"skipped":[],"skipped_total":0,"error":{"code":"unavailable","message":"cannot reach 127.0.0.1:1","hint":"nothing listens there"}},{"report":"costs","format":"anthropic-cost","bucket":"1d","from":"2026-01-01T00:00:00Z","complete_to":"2026-01-01T00:00:00Z","pages":0,"retries":0,"up_to_date":false,"records":0,"costs":0,"added":0,"replaced":0,"repeated":0,"skipped":[],"skipped_total":0,"error":{"code":"unavailable","message":"cannot reach 127.0.0.1:1","hint":"nothing listens there"}}]}
error: Anthropic usage: cannot reach 127.0.0.1:1
hint: nothing listens there
error: Anthropic costs: cannot reach 127.0.0.1:1
hint: nothing listens there
--- command usage pull mistral --since 2026-01-01
--- output 2
error: provider: mistral not in {anthropic,openai}
hint: freehold usage pull --help has examples
--- command usage pull anthropic
--- output 2
error: --since is required
hint: freehold usage pull --help has examples
