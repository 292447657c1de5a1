# Health, readiness, probes, and the names of the metrics.
--- script
on any
  text "Hello over there."
--- request GET /healthz
anonymous: yes

--- answer 200
content-type: application/json

{"status":"ok"}
--- request HEAD /healthz
anonymous: yes

--- answer 200
content-type: application/json

--- request GET /readyz
anonymous: yes

--- answer 200
content-type: application/json

{"draining":false,"ledger":true,"models":{"scripted":true},"ready":true}
--- request HEAD /
anonymous: yes

--- answer 200
content-type: text/html; charset=utf-8
cache-control: no-cache

--- request HEAD /api/hello
anonymous: yes

--- answer 200
content-type: application/json

--- request GET /api/version
anonymous: yes

--- answer 200
content-type: application/json

{"server":"freehold"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request GET /metrics
anonymous: yes

--- answer 200 names
content-type: text/plain; version=0.0.4; charset=utf-8

# TYPE freehold_engine_queued gauge
# TYPE freehold_engine_running gauge
# TYPE freehold_kv_tokens_max gauge
# TYPE freehold_kv_tokens_used gauge
# TYPE freehold_ledger_healthy gauge
# TYPE freehold_queue_seconds histogram
# TYPE freehold_request_seconds histogram
# TYPE freehold_requests_running gauge
# TYPE freehold_requests_total counter
# TYPE freehold_tokens_total counter
# TYPE freehold_ttft_seconds histogram
# TYPE freehold_worker_restarts gauge
--- request GET /admin/v1/status
anonymous: yes

--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"error":{"code":"unauthenticated","message":"this request carries no API key","hint":"send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`","field":"","reason":"invalid_api_key"}}
--- request GET /admin/v1/requests?limit=0

--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"code":"invalid_argument","message":"limit must be 1 to 1000","hint":"","field":"limit","reason":""}}
--- request GET /admin/v1/nothing

--- answer 404
content-type: application/json
x-should-retry: false

{"error":{"code":"not_found","message":"the admin API has nothing at this path","hint":"","field":"","reason":""}}
--- ledger
anthropic scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
