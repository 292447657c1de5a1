# Reasoning has a field of its own.
--- script
on any
  reasoning "Two and two."
  text "Four."
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"2+2"}]}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Four.","reasoning_content":"Two and two.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"2+2"}],"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"reasoning_content":"Two"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"reasoning_content":" and"},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"reasoning_content":" two."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"Four."},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}

data: [DONE]

--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"2+2"}],"reasoning_effort":"none"}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<3>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Four.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- ledger
openai_chat scripted complete 200 in=5 read=0 write=0 out=4 reasoning=3
openai_chat scripted complete 200 in=5 read=0 write=0 out=4 reasoning=3 stream
openai_chat scripted complete 200 in=5 read=0 write=0 out=1 reasoning=0
