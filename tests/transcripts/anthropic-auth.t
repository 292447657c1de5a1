# Keys and origins.
--- script
on any
  text "Hello over there."
--- request POST /v1/messages
anonymous: yes

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"type":"error","error":{"type":"authentication_error","message":"this request carries no API key (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","details":{"error_code":"invalid_api_key"}},"request_id":"req_<1>"}
--- request POST /v1/messages
x-api-key: wrong

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"type":"error","error":{"type":"authentication_error","message":"the API key is not valid (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","details":{"error_code":"invalid_api_key"}},"request_id":"req_<2>"}
--- request POST /v1/messages
x-api-key: $KEY

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages
x-api-key: $KEY
authorization: Bearer $KEY

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<2>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages
x-api-key: $KEY
authorization: Bearer other

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"type":"error","error":{"type":"authentication_error","message":"the request carries two different API keys (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","details":{"error_code":"invalid_api_key"}},"request_id":"req_<3>"}
--- request POST /v1/messages
origin: http://evil.example

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 403
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"permission_error","message":"requests from this web origin are not allowed (call from the console, from localhost, or without a browser)"},"request_id":"req_<4>"}
--- request POST /v1/messages
origin: vscode-webview://abc

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<3>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- ledger
anthropic scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
anthropic scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
anthropic scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
