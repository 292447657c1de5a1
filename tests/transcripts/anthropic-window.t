# A small window: an answer that fills it, a prompt that does not fit.
--- script
set context_tokens 24
on any
  repeat 100 text " more"
--- request POST /v1/messages

{"model":"scripted","max_tokens":32000,"messages":[{"role":"user","content":"go on"}]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":" more more more more more more more more more more more more more more more more more more"}],"stop_reason":"model_context_window_exceeded","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":18,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"$(y*400)"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 104 tokens > 24 maximum","details":{"error_code":"context_length_exceeded"}},"request_id":"req_<1>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"$(y*400)"}],"stream":true}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 104 tokens > 24 maximum","details":{"error_code":"context_length_exceeded"}},"request_id":"req_<2>"}
--- ledger
anthropic scripted context_full 200 in=6 read=0 write=0 out=18 reasoning=0
