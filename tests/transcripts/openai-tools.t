# A call whole and streamed, its result, the last answer; the flat shape.
--- script
on tool_result "19"
  text "It is 19 degrees."
on any
  text "Let me look."
  tool get_weather {"city":"Paris"}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"How warm?"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Let me look.","refusal":null,"tool_calls":[{"id":"call_1_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":37,"completion_tokens":6,"total_tokens":43,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":32,"text_tokens":37,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":32}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"How warm?"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"Let"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" me"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" look."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_2_0","type":"function","function":{"name":"get_weather","arguments":""}}]},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":37,"completion_tokens":6,"total_tokens":43,"prompt_tokens_details":{"cached_tokens":32,"cache_write_tokens":0,"text_tokens":37,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":32,"cache_creation_input_tokens":0}}

data: [DONE]

--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"How warm?"}],"tools":[{"type":"function","name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<3>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Let me look.","refusal":null,"tool_calls":[{"id":"call_3_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":37,"completion_tokens":6,"total_tokens":43,"prompt_tokens_details":{"cached_tokens":32,"cache_write_tokens":0,"text_tokens":37,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":32,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"messages":[{"role":"user","content":"How warm?"},{"role":"assistant","content":"Let me look.","tool_calls":[{"id":"call_1_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},{"role":"tool","tool_call_id":"call_1_0","content":"19 degrees"}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<4>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"It is 19 degrees.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":56,"completion_tokens":4,"total_tokens":60,"prompt_tokens_details":{"cached_tokens":48,"cache_write_tokens":0,"text_tokens":56,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":48,"cache_creation_input_tokens":0}}
--- ledger
openai_chat scripted tool 200 in=5 read=0 write=32 out=6 reasoning=0
openai_chat scripted tool 200 in=5 read=32 write=0 out=6 reasoning=0 stream
openai_chat scripted tool 200 in=5 read=32 write=0 out=6 reasoning=0
openai_chat scripted complete 200 in=8 read=48 write=0 out=4 reasoning=0
