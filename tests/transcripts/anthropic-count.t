# count_tokens equals the usage of the same body.
--- script
on any
  text "Hello over there."
--- request POST /v1/messages/count_tokens

{"model":"scripted","messages":[{"role":"user","content":"Hello there"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"system":"Be brief."}
--- answer 200
content-type: application/json

{"input_tokens":42}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hello there"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"system":"Be brief."}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":32,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":32,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages/count_tokens

{"model":"scripted","messages":[]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one message is required"},"request_id":"req_<1>"}
--- request POST /v1/messages/count_tokens

{"model":"nobody","messages":[{"role":"user","content":"x"}]}
--- answer 404
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"not_found_error","message":"the model `nobody` does not exist here (GET /v1/models lists what does)","details":{"error_code":"model_not_found"}},"request_id":"req_<2>"}
--- request GET /v1/messages/count_tokens

--- answer 405
content-type: application/json
x-should-retry: false
allow: POST, OPTIONS

{"type":"error","error":{"type":"invalid_request_error","message":"this path does not take GET (it takes POST, OPTIONS)","details":{"error_code":"method_not_allowed"}},"request_id":"req_<3>"}
--- ledger
anthropic scripted complete 200 in=10 read=0 write=32 out=3 reasoning=0
