# A tool that is demanded by name is called once, whatever the model would say after it.
--- script
on any
  tool get_weather {"city":"Paris"}
  tool get_weather {"city":"Rome"}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}],"tool_choice":{"type":"tool","name":"get_weather"}}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"tool_use","id":"toolu_1_0","name":"get_weather","input":{"city":"Paris"}}],"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":16,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":16,"ephemeral_1h_input_tokens":0},"output_tokens":3,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}],"tool_choice":{"type":"any"}}
--- answer 200
content-type: application/json

{"id":"msg_<2>","type":"message","role":"assistant","model":"scripted","content":[{"type":"tool_use","id":"toolu_2_0","name":"get_weather","input":{"city":"Paris"}},{"type":"tool_use","id":"toolu_2_1","name":"get_weather","input":{"city":"Rome"}}],"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":16,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":6,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"parallel_tool_calls":true,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"tool_choice":{"type":"function","function":{"name":"get_weather"}}}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_3_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":24,"completion_tokens":3,"total_tokens":27,"prompt_tokens_details":{"cached_tokens":16,"cache_write_tokens":0,"text_tokens":24,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":16,"cache_creation_input_tokens":0}}
--- ledger
anthropic scripted tool 200 in=8 read=0 write=16 out=3 reasoning=0
anthropic scripted tool 200 in=8 read=16 write=0 out=6 reasoning=0
openai_chat scripted tool 200 in=8 read=16 write=0 out=3 reasoning=0
