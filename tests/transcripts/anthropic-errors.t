# What is wrong with a request is said in the surface's shape, with the field.
--- script
on any
  text "Hello over there."
--- request POST /v1/messages

{"model":
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"invalid JSON at byte 0: object is not closed"},"request_id":"req_<1>"}
--- request POST /v1/messages

[]
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"must be a JSON object, got array"},"request_id":"req_<2>"}
--- request POST /v1/messages

{"model":"scripted"}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: required"},"request_id":"req_<3>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"temperature":9}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"temperature: must be between 0 and 1"},"request_id":"req_<4>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":1,"messages":[{"role":"nobody","content":"x"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"messages.0.role: must be one of: user, assistant, system"},"request_id":"req_<5>"}
--- request POST /v1/messages

{"model":"nobody","max_tokens":1,"messages":[{"role":"user","content":"x"}]}
--- answer 404
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"not_found_error","message":"the model `nobody` does not exist here (GET /v1/models lists what does)","details":{"error_code":"model_not_found"}},"request_id":"req_<6>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"messages.0.content.0: this model does not read images","details":{"error_code":"images_unsupported"}},"request_id":"req_<7>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"temperature":1e999}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"temperature: must be between 0 and 1"},"request_id":"req_<8>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"temperature":1.5}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"temperature: must be between 0 and 1"},"request_id":"req_<9>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":1e999,"messages":[{"role":"user","content":"x"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: must be an integer"},"request_id":"req_<10>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"top_k":-1e999}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"top_k: must be an integer"},"request_id":"req_<11>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}],"nobody_knows":[1e999,-1e999]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- ledger
anthropic scripted complete 200 in=5 read=0 write=0 out=3 reasoning=0
