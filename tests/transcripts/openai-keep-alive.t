# While the engine is silent a comment comes every second.
--- script
on any
  delay 1500ms
  text "Here."
--- config
[limits]
keep_alive_seconds = 1
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<1>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

: keepalive

data: {"id":"chatcmpl-<1>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"Here."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<1>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}

data: [DONE]

--- ledger
openai_chat scripted complete 200 in=5 read=0 write=0 out=1 reasoning=0 stream
