# Failures: before the answer, in mid-stream, inside a call, refused.
--- script
on user "[at once]"
  fail unavailable "the card fell off the bus"
on user "[later]"
  text "I was going to"
  fail internal "the answer was lost" hint "ask again"
on user "[in call]"
  tool get_weather {"city":"Paris"}
  fail unavailable "the card fell off the bus"
on user "[refuse]"
  refuse failed_precondition "this model takes no such request" field "messages" reason "not_today"
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[at once]"}]}
--- answer 529
content-type: application/json
x-should-retry: true
retry-after-ms: 2000
retry-after: 2

{"type":"error","error":{"type":"overloaded_error","message":"the card fell off the bus"},"request_id":"req_<1>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[at once]"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

event: message_start
data: {"type":"message_start","message":{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}}

event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"the card fell off the bus"},"request_id":"req_<2>"}

--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[later]"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

event: message_start
data: {"type":"message_start","message":{"id":"msg_<2>","type":"message","role":"assistant","model":"scripted","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" was"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" going"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" to"}}

event: error
data: {"type":"error","error":{"type":"api_error","message":"the answer was lost (ask again)"},"request_id":"req_<3>"}

--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[later]"}]}
--- answer 500
content-type: application/json
x-should-retry: true
retry-after-ms: 2000
retry-after: 2

{"type":"error","error":{"type":"api_error","message":"the answer was lost (ask again)"},"request_id":"req_<4>"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[in call]"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

event: message_start
data: {"type":"message_start","message":{"id":"msg_<3>","type":"message","role":"assistant","model":"scripted","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_5_0","name":"get_weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"Paris\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"the card fell off the bus"},"request_id":"req_<5>"}

--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[refuse]"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"messages: this model takes no such request","details":{"error_code":"not_today"}},"request_id":"req_<6>"}
--- ledger
anthropic scripted upstream_error 529 in=7 read=0 write=0 out=0 reasoning=0 error=unavailable
anthropic scripted upstream_error 200 in=7 read=0 write=0 out=0 reasoning=0 stream error=unavailable
anthropic scripted upstream_error 200 in=6 read=0 write=0 out=4 reasoning=0 stream error=internal
anthropic scripted upstream_error 500 in=6 read=0 write=0 out=4 reasoning=0 error=internal
anthropic scripted upstream_error 200 in=7 read=0 write=0 out=3 reasoning=0 stream error=unavailable
