# JSON on demand: an object, a schema, a schema that cannot be kept.
--- script
on any
  text "Hello over there."
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_object"}}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"{\"answer\": \"Hello from the scripted engine.\"}","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}},"required":["a","b"],"additionalProperties":false}}}}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<2>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"{\"a\":0,\"b\":\"x\"}","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"$ref":"#/$defs/none"}}}}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"response_format: the schema cannot be satisfied: a reference leads nowhere","type":"invalid_request_error","param":"response_format","code":"unsupported_schema"}}
--- ledger
openai_chat scripted complete 200 in=5 read=0 write=0 out=6 reasoning=0
openai_chat scripted complete 200 in=5 read=0 write=0 out=1 reasoning=0
