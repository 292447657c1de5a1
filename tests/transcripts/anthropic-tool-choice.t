# Every tool choice against a model that would rather talk.
--- script
on any
  text "Hello over there."
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"tool_choice":{"type":"auto"}}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":32,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":32,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"tool_choice":{"type":"any"}}
--- answer 200
content-type: application/json

{"id":"msg_<2>","type":"message","role":"assistant","model":"scripted","content":[{"type":"tool_use","id":"toolu_2_0","name":"get_weather","input":{"city":"text"}}],"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":32,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"tool_choice":{"type":"tool","name":"get_weather"}}
--- answer 200
content-type: application/json

{"id":"msg_<3>","type":"message","role":"assistant","model":"scripted","content":[{"type":"tool_use","id":"toolu_3_0","name":"get_weather","input":{"city":"text"}}],"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":32,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"tool_choice":{"type":"none"}}
--- answer 200
content-type: application/json

{"id":"msg_<4>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello over there."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":32,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","description":"The weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}],"tool_choice":{"type":"tool","name":"nobody"}}
--- answer 400
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"invalid_request_error","message":"tool_choice: names a tool that is not among the callable tools: nobody"},"request_id":"req_<1>"}
--- ledger
anthropic scripted complete 200 in=3 read=0 write=32 out=3 reasoning=0
anthropic scripted tool 200 in=3 read=32 write=0 out=3 reasoning=0
anthropic scripted tool 200 in=3 read=32 write=0 out=3 reasoning=0
anthropic scripted complete 200 in=3 read=32 write=0 out=3 reasoning=0
