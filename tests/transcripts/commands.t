# Commands beside a running server: names in any script, one form of output at a time, mistakes as JSON.
--- script
on any
  text "Hello over there."
--- command keys create 'José (night / 100%)' --workload a?b
--- output 0
fh-<1>
This key for `José (night / 100%)` is shown once; keep it now.
--- command keys revoke 'José (night / 100%)'
--- output 0
Revoked José (night / 100%). It stopped working now.
--- command keys revoke 'José (night / 100%)' --json
--- output 1
{"error":{"code":"not_found","message":"no key has this id, and no live key this name","hint":"`freehold keys list` shows all keys"}}
--- command usage --from '2026-11-01 &by=key'
--- output 2
error: from must be a date like 2026-11-24
--- command usage --from '2026-11-01 &by=key' --json
--- output 2
{"error":{"code":"invalid_argument","message":"from must be a date like 2026-11-24","hint":""}}
--- command usage --json --csv
--- output 2
error: --json excludes --csv
hint: freehold usage --help has examples
--- command usage --by week --json
--- output 0
{"by":"week","from_ms":null,"to_ms":null,"rows":[],"totals":{"requests":0,"failed":0,"usage":{"input_uncached":0,"cache_read":0,"cache_write":0,"output":0,"reasoning":0},"work":{"computed":0,"cached":0,"restored":0},"cost_micro_usd":null,"cost_unpriced":0,"api_costs":[]}}
--- command models show nobody --json
--- output 1
{"error":{"code":"not_found","message":"no model is called `nobody` here","hint":"`freehold models list` shows what there is"}}
--- file mistaken.toml
[limits]
request_second = 5
--- command usage --json --config mistaken.toml
--- output 2
{"error":{"code":"invalid_argument","message":"mistaken.toml: unknown key `limits.request_second` in line 2; did you mean `request_seconds`?","hint":"every key is in docs/configuration.md"}}
--- command usage --config mistaken.toml
--- output 2
error: mistaken.toml: unknown key `limits.request_second` in line 2; did you mean `request_seconds`?
hint: every key is in docs/configuration.md
--- command keys list --config missing.toml
--- output 2
error: cannot open missing.toml: No such file or directory
hint: the configuration is optional; --config FILE names one
--- command chat --json --model nobody "Hi"
--- output 1
{"error":{"code":"not_found","message":"the model `nobody` does not exist here","hint":"`freehold models list` shows what there is; without -m the default answers"}}
--- command keyz list
--- output 2
error: freehold has no verb `keyz`; did you mean `keys`?
hint: freehold --help lists the verbs
--- command models lst
--- output 2
error: freehold models has no verb `lst`; did you mean `list`?
hint: freehold models --help lists the verbs
--- command usage improt november.csv
--- output 2
error: freehold usage has no verb `improt`; did you mean `import`?
hint: freehold usage --help lists the verbs
--- command usage --by month
--- output 2
error: --by: month not in {day,week,model,key,workload}
hint: freehold usage --help has examples
--- command keys create
--- output 2
error: name is required
hint: freehold keys create --help has examples
--- command models
--- output 2
error: `freehold models` needs one of list, show, import, verify, remove
hint: freehold models --help has examples
--- command models import --hlep
--- output 2
error: file is required
hint: freehold models import --help has examples
