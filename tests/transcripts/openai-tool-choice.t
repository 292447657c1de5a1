# Every tool choice against a model that would rather talk.
--- script
on any
  text "Hello over there."
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"tool_choice":"auto"}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Hello over there.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":35,"completion_tokens":3,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":32,"text_tokens":35,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":32}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"tool_choice":"required"}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<2>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_2_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"text\"}"}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":35,"completion_tokens":3,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":32,"cache_write_tokens":0,"text_tokens":35,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":32,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"tool_choice":{"type":"function","function":{"name":"get_weather"}}}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<3>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_3_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"text\"}"}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":35,"completion_tokens":3,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":32,"cache_write_tokens":0,"text_tokens":35,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":32,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"tool_choice":"none"}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<4>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Hello over there.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":35,"completion_tokens":3,"total_tokens":38,"prompt_tokens_details":{"cached_tokens":32,"cache_write_tokens":0,"text_tokens":35,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":32,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"tool_choice":{"type":"function","function":{"name":"nobody"}}}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"tool_choice: names a tool that is not among the callable tools: nobody","type":"invalid_request_error","param":"tool_choice","code":null}}
--- ledger
openai_chat scripted complete 200 in=3 read=0 write=32 out=3 reasoning=0
openai_chat scripted tool 200 in=3 read=32 write=0 out=3 reasoning=0
openai_chat scripted tool 200 in=3 read=32 write=0 out=3 reasoning=0
openai_chat scripted complete 200 in=3 read=32 write=0 out=3 reasoning=0
