# JSON on demand, and how a schema that cannot be kept is named: the format's, a tool's behind tools that are left out.
--- script
on any
  text "Hello over there."
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}}}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"{\"a\":0}"}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"output_config":{"format":{"type":"json_schema","schema":{"$ref":"#/$defs/none"}}}}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"output_config.format: the schema cannot be satisfied: a reference leads nowhere","details":{"error_code":"unsupported_schema"}},"request_id":"req_<1>"}
--- request POST /v1/messages/count_tokens

{"model":"scripted","messages":[{"role":"user","content":"x"}],"output_format":{"type":"json_schema","schema":{"$ref":"#/$defs/none"}}}
--- answer 200
content-type: application/json

{"input_tokens":5}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"},{"name":"f","input_schema":{"$ref":"#/$defs/none"}}],"tool_choice":{"type":"any"}}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"tools.1.input_schema: the schema cannot be satisfied: a reference leads nowhere","details":{"error_code":"unsupported_schema"}},"request_id":"req_<2>"}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search"},{"type":"function","function":{"name":"f","parameters":{"$ref":"#/$defs/none"}}}],"tool_choice":"required"}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"tools.1.function.parameters: the schema cannot be satisfied: a reference leads nowhere","type":"invalid_request_error","param":"tools.1.function.parameters","code":"unsupported_schema"}}
--- ledger
anthropic scripted complete 200 in=5 read=0 write=0 out=1 reasoning=0
