# A small window: an answer that fills it, a prompt that does not fit.
--- script
set context_tokens 24
on any
  repeat 100 text " more"
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"go on"}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":" more more more more more more more more more more more more more more more more more more","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":6,"completion_tokens":18,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":6,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"$(y*400)"}]}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"This model's maximum context length is 24 tokens. However, your messages resulted in 104 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"$(y*400)"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}],"stream":true}
--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"This model's maximum context length is 24 tokens. However, your messages resulted in 134 tokens (104 in the messages, 30 in the tools). Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}
--- ledger
openai_chat scripted context_full 200 in=6 read=0 write=0 out=18 reasoning=0
